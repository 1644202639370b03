//! The published JSON Schema, made from the types. Not here: who prints or checks it.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::{Request, ServerMessage};

/// Every message of this protocol, as draft 2020-12: `$defs/Request` is what a client may send, `$defs/ServerMessage` what
/// it may be sent.
pub fn schema() -> Value {
    let mut generator = schemars::SchemaGenerator::default();
    let mut reference = |of: fn(&mut schemars::SchemaGenerator) -> schemars::Schema| of(&mut generator).to_value();
    let either = [reference(subschema::<Request>), reference(subschema::<ServerMessage>)];
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "OpenCTI over JSON lines and WebSocket, protocol version 1",
        "anyOf": either,
        "$defs": generator.take_definitions(true),
    })
}

fn subschema<T: JsonSchema>(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<T>()
}
