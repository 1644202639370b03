//! The README's table of messages is the catalogue's. `CTIGATE_WRITE_README=1 cargo test --test readme` writes it anew.

use std::fmt::Write;
use std::path::Path;

use cti_protocol::ged188::catalogue::{CATALOGUE, MessageInfo};
use ctigate::dialects::ged188::{ANSWERED, SENT};

const BEGIN: &str = "<!-- the table of messages begins; tests/readme.rs writes it -->";
const END: &str = "<!-- the table of messages ends -->";

#[test]
fn the_table_of_messages_is_that_of_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("a README");
    let (before, rest) = readme.split_once(BEGIN).expect("the begin mark");
    let (_, after) = rest.split_once(END).expect("the end mark");
    let written = format!("{before}{BEGIN}\n\n{}\n{END}{after}", table());
    if std::env::var_os("CTIGATE_WRITE_README").is_some() {
        std::fs::write(&path, &written).expect("a README that can be written");
    }
    assert!(
        readme == written || std::env::var_os("CTIGATE_WRITE_README").is_some(),
        "the README's table is not up to date"
    );
}

fn table() -> String {
    let (served, others): (Vec<&MessageInfo>, Vec<&MessageInfo>) =
        sorted().into_iter().partition(|info| is_served(info));
    let mut table =
        String::from("| number | message | sent by | since | fields |\n| ---: | --- | --- | --- | ---: |\n");
    for info in &served {
        let since = if info.since == 0 { "–".to_owned() } else { info.since.to_string() };
        let fields = info.fixed.len() + info.floating.len();
        let by = format!("{:?}", info.sent_by).to_lowercase();
        let _ = writeln!(table, "| {} | {} | {by} | {since} | {fields} |", info.message_type.0, info.name);
    }
    let names: Vec<&str> = others.iter().map(|info| info.name).collect();
    let _ = write!(
        table,
        "\nDecoded and encoded besides, by the codec and by `ctigate decode`; the gateway refuses the requests among them as not\n\
         available ({} messages):\n\n<details><summary>their names</summary>\n\n{}\n\n</details>\n",
        names.len(),
        names.join(", ")
    );
    table
}

fn sorted() -> Vec<&'static MessageInfo> {
    let mut all = CATALOGUE.to_vec();
    all.sort_by_key(|info| info.message_type.0);
    all
}

/// Answered, sent, or the confirmation of what is answered.
fn is_served(info: &MessageInfo) -> bool {
    let confirms = |request: &MessageInfo| {
        let stem = request.name.strip_suffix("_REQ");
        stem.is_some_and(|stem| info.name.strip_suffix("_CONF") == Some(stem))
    };
    let answered = |info: &&&MessageInfo| ANSWERED.contains(&info.message_type);
    SENT.contains(&info.message_type)
        || ANSWERED.contains(&info.message_type)
        || CATALOGUE.iter().filter(answered).any(|request| confirms(request))
}
