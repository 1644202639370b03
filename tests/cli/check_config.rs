//! `ctigate check-config` and the files it reads.

use ctigate::config::{Config, SAMPLE};

use crate::support::{file, lines, run};

fn complaint(content: &str) -> String {
    let (_directory, path) = file(content);
    let output = run(&["check-config", path.to_str().unwrap()], b"");
    let mut lines = lines(&output.stderr);
    assert_eq!((output.status.code(), lines.len()), (Some(2), 1), "{lines:?}");
    let line = lines.remove(0);
    assert!(line.contains("ctigate.toml"), "names the file: {line}");
    line
}

#[test]
fn an_unknown_key_or_a_bad_value_is_one_line_that_names_it() {
    for (content, named) in [
        ("[limits]\nframe_bytes_max = 100\n", &["limits.frame_bytes_max", "100"][..]),
        ("[limits]\nconnection_max = 100\n", &["limits", "connection_max"]),
        ("[log]\nformat = \"xml\"\n", &["log.format", "xml"]),
        ("[log]\nfilter = \"a=b=c\"\n", &["log.filter"]),
        ("[timeouts]\nopen = \"1 parsec\"\n", &["timeouts.open", "1 parsec"]),
        ("[[listener]]\naddress = \"nonsense\"\n", &["listener[0].address", "nonsense"]),
        ("[[listener]]\n[[listener]]\n", &["listener[1].address", "127.0.0.1:42027"]),
        ("[[client]]\nid = \"a\"\n[[client]]\nid = \"a\"\n", &["client[1].id", "a"]),
        ("[[acd]]\n", &["acd[0]", "kind"]),
        ("[[acd]]\nkind = \"pbx\"\n", &["acd[0]", "kind", "pbx"]),
        ("[[acd]]\nkind = \"embedded\"\nlatency = \"soon\"\n", &["acd[0]", "latency", "soon"]),
        ("[[acd]]\nkind = \"embedded\"\n[acd.calls]\nper_second = 1\n", &["acd[0]", "calls", "per_second"]),
        ("[[acd]]\nkind = \"embedded\"\n[acd.calls]\nno_answer = 2.0\n", &["acd[0].calls.no_answer", "2"]),
        ("[[acd]]\nkind = \"embedded\"\nperipheral = 0\n", &["acd[0].peripheral", "0"]),
        ("[[acd]]\nkind = \"embedded\"\n[[acd]]\nkind = \"embedded\"\n", &["acd[1].peripheral", "5000"]),
        ("what = is this\n", &[":1:"]),
        ("listener = []\n", &["listener"]),
    ] {
        let line = complaint(content);
        for word in named {
            assert!(line.contains(word), "{word:?} in {line:?}");
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_said_to_be_missing() {
    let output = run(&["check-config", "/nonexistent/ctigate.toml"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(lines(&output.stderr)[0].contains("/nonexistent/ctigate.toml: cannot be read"));
}

#[test]
fn the_sample_is_sound_as_it_is_printed() {
    let printed = run(&["check-config", "--sample"], b"");
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), SAMPLE);
    let (_directory, path) = file(SAMPLE);
    let output = run(&["check-config", path.to_str().unwrap()], b"");
    assert_eq!(output.status.code(), Some(0), "{:?}", lines(&output.stderr));
}

/// The sample with every option uncommented.
fn uncommented() -> String {
    SAMPLE
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn every_option_of_the_sample_is_known_and_at_its_default() {
    let all = Config::from_toml("sample", &uncommented()).expect("every option is known");
    let default = Config::default();
    let shown = |config: &Config| {
        let mut config = config.clone();
        config.clients.clear(); // examples that have no default
        let ctigate::config::AcdKind::Embedded(embedded) = &mut config.acds[0].kind;
        embedded.faults.clear();
        embedded.outages.clear();
        format!("{config:#?}")
    };
    assert_eq!(shown(&all), shown(&default));
    assert_eq!(all.clients.len(), 1);
}

#[test]
fn the_sample_holds_every_option_that_there_is() {
    // Debug prints every field; the sample must have each, by the name that the file gives it.
    let renamed = [
        ("listeners", "listener"),
        ("clients", "client"),
        ("acds", "acd"),
        ("queues", "queue"),
        ("faults", "fault"),
        ("outages", "outage"),
        ("lasts", "for"),
    ];
    let all = format!("{:#?}", Config::from_toml("sample", &uncommented()).unwrap());
    for line in all.lines() {
        let Some((field, _)) = line.trim_start().split_once(':') else { continue };
        if !field.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            continue;
        }
        let key = renamed.iter().find(|(name, _)| *name == field).map_or(field, |(_, key)| key);
        let is_there = SAMPLE.lines().any(|line| {
            let line = line.trim_start_matches(['#', '[']).trim_start_matches("acd.");
            line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', ']']))
        });
        assert!(is_there, "{key} is missing in the sample");
    }
}
