//! What an operator may write, and what not.

use super::*;

fn error(text: &str) -> String {
    match toml::from_str::<AsteriskConfig>(text) {
        Ok(config) => config.validate().expect_err("not sound").to_string(),
        Err(error) => error.message().to_owned(),
    }
}

#[test]
fn refuses_what_cannot_be_and_names_it() {
    let with = |change: &str| error(&format!("{change}\n{CONFIG}"));
    assert!(with("port = 0").starts_with("port:"));
    assert!(with("host = \"\"").starts_with("host:"));
    assert!(with("state_interface = \"PJSIP/3001\"").contains("has no place for the instrument"));
    assert!(with("state_interface = \"PJSIP/{instrument},x\"").contains("cannot be sent"));
    assert!(with("work_ready_text = \"lunch\"").contains("\"lunch\""));
    assert!(with("work_ready_text = \"a|b\"").contains("'|'"));
    assert!(with("in_flight_max = 0").starts_with("in_flight_max:"));
    assert!(with("action_deadline = \"2h\"").starts_with("action_deadline:"));
    assert!(with("secret_file = \"x\"").contains("unknown field"));
    assert!(error("user = \"x\"\nsecret = 5").contains("{ file = … }"));
    assert!(error("user = \"x\"\nsecret = \"y\"").starts_with("queue:"));
    assert!(error(&format!("{CONFIG}\n[[queue]]\nnumber = 3\nname = \"SALES\"")).starts_with("queue[2].name:"));
    assert!(
        error(&format!("{CONFIG}\n[[agents]]\nfirst=1\ncount=1\npassword=\"\"\nqueues=[9]")).contains("no queue 9")
    );
}

#[test]
fn a_secret_comes_from_a_file_or_the_environment_as_well() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), "from-a-file\n").expect("written");
    let secret = |value: &str| {
        let config = CONFIG.replace("\"ctigate-secret\"", value);
        toml::from_str::<AsteriskConfig>(&config).expect("a configuration").read_secret()
    };
    let read = secret(&format!("{{ file = {:?} }}", file.path())).expect("readable");
    assert_eq!(read.expose(), "from-a-file");
    assert_eq!(secret("{ env = \"PATH\" }").expect("set").expose(), std::env::var("PATH").unwrap());
    let unset = secret("{ env = \"CTIGATE_NO_SUCH_SECRET\" }").expect_err("not set");
    assert_eq!(unset.to_string(), "secret: environment variable CTIGATE_NO_SUCH_SECRET: it is not set");
    assert!(secret("{ file = \"/nowhere/at/all\" }").is_err());
}

#[test]
fn what_asterisk_would_cut_or_corrupt_is_refused_by_name_before_it_is_sent() {
    let mut bench = Bench::new();
    let login = |bench: &mut Bench, agent: &str, instrument: &str| {
        let (agent, instrument) = (AgentId::new(agent).unwrap(), Instrument::new(instrument).unwrap());
        let plan = bench.world.plan_login(&agent, &instrument, &[QueueId(1)], false);
        plan.err().map(|refusal| refusal.to_string()).unwrap_or_default()
    };
    let (fits, too_long) = ("9".repeat(79), "9".repeat(80));
    assert_eq!(login(&mut bench, &fits, "3001"), "");
    assert!(login(&mut bench, &too_long, "3001").contains("it has 80 bytes, Asterisk keeps 79"));
    assert_eq!(login(&mut bench, "1001", &"3".repeat(73)), "");
    assert!(login(&mut bench, "1001", &"3".repeat(74)).starts_with("instrument \"333"));
    for bad in ["Ann, B", "a|b", "a;b", " a"] {
        assert!(login(&mut bench, bad, "3001").starts_with(&format!("agent {bad:?} cannot be sent")), "{bad}");
        assert!(
            login(&mut bench, "1001", bad).starts_with(&format!("instrument {bad:?} cannot be sent")) || bad == " a"
        );
    }
}
