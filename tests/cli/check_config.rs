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
        ("[limits]\nframe_bytes_max = 100\n", &[":2:19: limits.frame_bytes_max:", "100"][..]),
        ("[limits]\nconnection_max = 100\n", &[":2:1: limits.connection_max:"]),
        ("[log]\nformat = \"xml\"\n", &[":2:10: log.format:", "xml"]),
        ("[log]\nfilter = \"a=b=c\"\n", &[":2:10: log.filter:", "a=b=c"]),
        ("[timeouts]\nopen = \"1 parsec\"\n", &[":2:8: timeouts.open:", "1 parsec"]),
        ("[[listener]]\naddress = \"nonsense\"\n", &[":2:11: listener[0].address:", "nonsense"]),
        ("[[listener]]\n[[listener]]\n", &[":2:1: listener[1].address:", "127.0.0.1:42027"]),
        ("[[listener]]\nidle_timeout_min = \"0s\"\n", &[":2:20: listener[0].idle_timeout_min:", "0ns"]),
        ("[[listener]]\ndialect = \"opencti\"\nflavour = \"uccx\"\n", &[":3:11: listener[0].flavour:", "ged188"]),
        ("[[listener]]\ntransport = \"websocket\"\n", &[":2:13: listener[0].transport:", "opencti"]),
        ("[[listener]]\ndialect = \"opencti\"\ntry_page = true\n", &[":3:12: listener[0].try_page:", "websocket"]),
        (
            "[[listener]]\ndialect = \"opencti\"\ntransport = \"websocket\"\norigins = [\"crm.example\"]\n",
            &[":4:11: listener[0].origins:", "crm.example"],
        ),
        ("[sessions]\nsecond_client = \"fight\"\n", &[":2:17: sessions.second_client:", "fight"]),
        ("[sessions]\nresume_bytes_max = 10000000\n", &[":2:20: sessions.resume_bytes_max:", "10000000"]),
        ("[sessions]\nlogout_after = \"0s\"\n", &[":2:16: sessions.logout_after:"]),
        ("[[reason]]\ncode = 1\nname = \"7\"\n", &[":3:8: reason[0].name:", "7"]),
        ("[[reason]]\ncode = 0\nname = \"none\"\n", &[":2:8: reason[0].code:", "0"]),
        (
            "[[client]]\nid = \"a\"\npassword = \"\"\n[[client]]\nid = \"a\"\npassword = \"\"\n",
            &[":5:6: client[1].id:", "a"],
        ),
        ("[[client]]\nid = \"a\"\nservices = [\"all\"]\n", &[":3:13: client[0].services[0]:", "all"]),
        ("[sessions]\nday_begins = \"25h\"\n", &[":2:14: sessions.day_begins:"]),
        (
            "[[team]]\nid = 1\nname = \"a\"\nperipheral = 7\nsupervisors = []\nagents = []\n",
            &[":4:14: team[0].peripheral:", "7"],
        ),
        (
            "[[team]]\nid = 1\nname = \"a\"\nsupervisors = []\nagents = [\"1001\", \"1001\"]\n",
            &[":5:10: team[0].agents:", "1001"],
        ),
        ("[[acd]]\n", &[":1:1: acd[0].kind:"]),
        ("[[acd]]\nkind = \"pbx\"\n", &[":2:8: acd[0].kind:", "pbx"]),
        ("[[acd]]\nkind = \"embedded\"\nlatency = \"soon\"\n", &[":3:11: acd[0].latency:", "soon"]),
        ("[[acd]]\nkind = \"embedded\"\n[acd.calls]\nper_second = 1\n", &[":4:1: acd[0].calls.per_second:"]),
        ("[[acd]]\nkind = \"embedded\"\n[acd.calls]\nno_answer = 2.0\n", &[":4:13: acd[0].calls.no_answer:", "2"]),
        ("[[acd]]\nkind = \"embedded\"\nperipheral = 0\n", &[":3:14: acd[0].peripheral:", "0"]),
        ("[[acd]]\nkind = \"embedded\"\n[[acd]]\nkind = \"embedded\"\n", &[":3:1: acd[1].peripheral:", "5000"]),
        ("what = is this\n", &[":1:"]),
        ("listener = []\n", &[":1:12: listener:"]),
    ] {
        let line = complaint(content);
        for word in named {
            assert!(line.contains(word), "{word:?} in {line:?}");
        }
    }
}

#[test]
fn no_complaint_brings_control_characters_of_the_file_to_the_terminal() {
    for (content, named) in [
        ("[log]\nformat = \"xm\0l\"\n", "(at `\\u{0}`)"),
        ("[log]\n\"for\\nmat\" = 1\n", "log.for\\nmat:"),
        ("[log]\n\"\\u001b[2J\" = 1\n", "log.\\u{1b}[2J:"),
    ] {
        let line = complaint(content);
        assert!(line.contains(named) && !line.contains(char::is_control), "{named:?} in {line:?}");
    }
}

#[test]
fn no_complaint_prints_a_password() {
    for content in [
        "[[client]]\nid = \"a\"\npassword = 24680\n",
        "[[client]]\nid = \"a\"\npassword = s24680\n",
        "[[client]]\nid = \"a\"\npassword = \"s24680\n",
        "[[client]]\nid = \"a\"\npasword = \"s24680\"\n",
        "client = [{ password = \"s24680\" }]\n",
        "client = [{ id = \"a\", password = s24680 }]\n",
        "[[acd]]\nkind = \"embedded\"\n[[acd.agents]]\nfirst = 1\ncount = 1\nqueues = [1]\npassword = 24680\n",
    ] {
        let line = complaint(content);
        assert!(!line.contains("24680"), "{line}");
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
        config.teams.clear();
        config.listeners[0].tls = None;
        config.acds.truncate(1); // nor has an Asterisk's address
        let ctigate::config::AcdKind::Embedded(embedded) = &mut config.acds[0].kind else { panic!("the first is") };
        embedded.faults.clear();
        embedded.outages.clear();
        format!("{config:#?}")
    };
    assert_eq!(shown(&all), shown(&default));
    assert_eq!((all.clients.len(), all.teams.len()), (1, 1));
}

#[test]
fn the_sample_holds_every_option_that_there_is() {
    // Debug prints every field; the sample must have each, by the name that the file gives it.
    let renamed = [
        ("listeners", "listener"),
        ("clients", "client"),
        ("acds", "acd"),
        ("teams", "team"),
        ("queues", "queue"),
        ("faults", "fault"),
        ("outages", "outage"),
        ("reasons", "reason"),
        ("variables", "variable"),
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
            let line = line.trim_start_matches(['#', '[']).trim_start_matches("acd.").trim_start_matches("listener.");
            line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', ']']))
        });
        assert!(is_there, "{key} is missing in the sample");
    }
}
