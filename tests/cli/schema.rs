//! `ctigate schema`.

use serde_json::Value;

use crate::support::run;

#[test]
fn the_schema_is_printed_as_it_is_published() {
    let printed = run(&["schema"], b"");
    assert_eq!(printed.status.code(), Some(0));
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/protocol/opencti.schema.json");
    let published: Value = serde_json::from_slice(&std::fs::read(published).unwrap()).unwrap();
    assert_eq!(printed, published);
}
