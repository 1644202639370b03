//! The configuration: what it takes, and what it says of what it does not.

use super::*;
use crate::acd::AgentsConfig;
use crate::acd::embedded::{InstrumentsConfig, Outage, QueueConfig};

#[test]
fn an_empty_table_is_the_default_world() {
    let empty: EmbeddedConfig = toml::from_str("").unwrap();
    assert_eq!(format!("{empty:?}"), format!("{:?}", EmbeddedConfig::default()));
    assert_eq!(empty.validate(), Ok(()));
}

#[test]
fn a_whole_world_can_be_written_down() {
    let config: EmbeddedConfig = toml::from_str(
        r#"
        latency = "20ms"
        wrap_up = "30s"
        [[queue]]
        number = 7
        name = "seven"
        [[agents]]
        first = 1
        count = 2
        password = "secret"
        queues = [7]
        [[instruments]]
        first = 10
        count = 2
        [calls]
        seed = 5
        per_minute = 2.5
        [[fault]]
        on = "log_out"
        agent = "1"
        kind = "answer_late"
        delay = "1s"
        [[outage]]
        at = "10s"
        for = "5s"
        every = "1m"
        "#,
    )
    .unwrap();
    assert_eq!(config.validate(), Ok(()));
    assert_eq!((config.latency, config.wrap_up), (Duration::from_millis(20), Duration::from_secs(30)));
    assert_eq!(config.faults[0].on, Command::LogOut);
    assert_eq!(config.outages[0].every, Some(Duration::from_secs(60)));
}

#[test]
fn a_key_or_a_word_that_does_not_exist_is_refused() {
    for text in [
        "latencies = \"1s\"",
        "latency = 5",
        "[calls]\nper_second = 1",
        "[[fault]]\non = \"log_off\"\nkind = \"refuse\"",
        "[[fault]]\non = \"any\"\nkind = \"explode\"",
        "[[outage]]\nat = \"1s\"",
    ] {
        assert!(toml::from_str::<EmbeddedConfig>(text).is_err(), "{text}");
    }
}

#[test]
fn agents_passwords_come_from_a_file_or_the_environment_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("passwords");
    let config = |password: &str| -> EmbeddedConfig {
        toml::from_str(&format!("[[agents]]\nfirst = 7\ncount = 1\nqueues = [1]\npassword = {password}")).unwrap()
    };
    let kept = format!("{{ file = {file:?} }}");
    let refused = EmbeddedAcd::new(config(&kept)).unwrap_err().to_string();
    assert!(refused.starts_with("agents: ") && refused.contains("passwords: cannot be read"), "{refused}");
    let refused = EmbeddedAcd::new(config("{ env = \"CTIGATE_NO_SUCH_VARIABLE\" }")).unwrap_err().to_string();
    assert!(refused.contains("CTIGATE_NO_SUCH_VARIABLE: it is not set"), "{refused}");
    std::fs::write(&file, "of-{id}\n").unwrap();
    let (id, password, _) = config(&kept).agents[0].every().unwrap().next().unwrap();
    assert_eq!((id.as_str(), password.expose()), ("7", "of-7"));
}

#[test]
fn a_range_of_agents_takes_its_ids_into_its_passwords() {
    let range = |first, password: &str| AgentsConfig {
        first,
        count: 2,
        password: Password::new(password).into(),
        queues: vec![QueueId(2), QueueId(1), QueueId(2)],
    };
    let config = EmbeddedConfig { agents: vec![range(1, "{id}-{id}"), range(5, "same")], ..Default::default() };
    let agents: Vec<_> = config
        .agents
        .iter()
        .flat_map(|range| range.every().unwrap())
        .map(|(id, password, queues)| (id.to_string(), password, queues))
        .collect();
    let passwords: Vec<_> = agents.iter().map(|(id, password, _)| (id.as_str(), password.expose())).collect();
    assert_eq!(passwords, [("1", "1-1"), ("2", "2-2"), ("5", "same"), ("6", "same")]);
    assert_eq!(agents[0].2, [QueueId(1), QueueId(2)]);
}

#[test]
fn what_does_not_hold_together_is_named() {
    let queue = |number| QueueConfig { number: QueueId(number), name: "again".into() };
    let devices = |first, count| InstrumentsConfig { first, count };
    let outage = |every| Outage { at: Duration::ZERO, lasts: Duration::from_secs(5), every: Some(every) };
    type Change = Box<dyn Fn(&mut EmbeddedConfig)>;
    let wrongs: Vec<(&str, &str, Change)> = vec![
        ("queue[3].number", "1", Box::new(move |c| c.queues.push(queue(1)))),
        ("agents[0].queues", "9", Box::new(|c| c.agents[0].queues = vec![QueueId(9)])),
        ("agents[0].queues", "never", Box::new(|c| c.agents[0].queues.clear())),
        ("agents[0].count", "0", Box::new(|c| c.agents[0].count = 0)),
        ("agents[0].count", "100001", Box::new(|c| c.agents[0].count = 100_001)),
        ("agents[0].first", "4294967295", Box::new(|c| c.agents[0].first = u32::MAX)),
        ("agents", "1001", Box::new(|c| c.agents.push(c.agents[0].clone()))),
        ("instruments", "3050", Box::new(move |c| c.instruments.push(devices(3050, 1)))),
        ("instruments[1].count", "0", Box::new(move |c| c.instruments.push(devices(9000, 0)))),
        ("calls.per_minute", "-1", Box::new(|c| c.calls.per_minute = -1.0)),
        ("calls.per_minute", "NaN", Box::new(|c| c.calls.per_minute = f64::NAN)),
        ("calls.per_minute", "inf", Box::new(|c| c.calls.per_minute = f64::INFINITY)),
        ("calls.no_answer", "1.5", Box::new(|c| c.calls.no_answer = 1.5)),
        ("calls.talk_min", "60s", Box::new(|c| c.calls.talk_min = Duration::from_secs(61))),
        ("calls.waiting_max", "100001", Box::new(|c| c.calls.waiting_max = 100_001)),
        ("outage[0].every", "before", Box::new(move |c| c.outages = vec![outage(Duration::from_secs(5))])),
    ];
    for (key, value, change) in wrongs {
        let mut config = EmbeddedConfig::default();
        change(&mut config);
        let error = config.validate().expect_err(key);
        assert_eq!(error.key, key);
        assert!(error.what.contains(value), "{value:?} in {error}");
        assert_eq!(EmbeddedAcd::new(config).unwrap_err(), error);
    }
}

#[test]
fn too_many_agents_are_too_many_in_several_ranges_too() {
    let mut config = EmbeddedConfig::default();
    config.agents =
        (0..3).map(|n| AgentsConfig { first: n * 50_000, count: 50_000, ..config.agents[0].clone() }).collect();
    assert_eq!(config.validate().map_err(|error| error.key), Err("agents".to_owned()));
}

#[test]
fn a_queue_has_a_name() {
    let mut config = EmbeddedConfig::default();
    config.queues[1].name.clear();
    assert_eq!(config.validate().map_err(|error| error.key), Err("queue[1].name".to_owned()));
}
