//! OpenCTI's published schema: whatever the tests see on the wire has to be valid by it.

use std::sync::LazyLock;

use serde_json::{Value, json};

static SERVER_MESSAGES: LazyLock<jsonschema::Validator> = LazyLock::new(|| of_definition("ServerMessage"));
static REQUESTS: LazyLock<jsonschema::Validator> = LazyLock::new(|| of_definition("Request"));

fn of_definition(name: &str) -> jsonschema::Validator {
    let mut schema = cti_protocol::opencti::schema();
    schema.as_object_mut().unwrap().remove("anyOf");
    schema["$ref"] = json!(format!("#/$defs/{name}"));
    jsonschema::validator_for(&schema).expect("the published schema is one")
}

/// A request that the schema allows is one that the gateway has to understand.
pub fn assert_is_request(request: &Value) {
    if let Err(error) = REQUESTS.validate(request) {
        panic!("{request} is no request: {error}");
    }
}

pub fn assert_is_server_message(message: &Value) {
    if let Err(error) = SERVER_MESSAGES.validate(message) {
        panic!("{message} is nothing that a gateway may say: {error}");
    }
}
