//! The CONFIG service: what there is, record by record.

use cti_protocol::ged188::codes::{ConfigAgentType, ConfigMsgMask, ServiceMask, Status};
use cti_protocol::ged188::{AnyMessage, ConfigKeyEvent, ConfigRequestEvent, ConfigRequestKeyEvent};
use ctigate::acd::embedded::EmbeddedConfig;
use ctigate::config::Config;

use crate::support::desk::{Desk, open_req, services_of_bridge, text};
use crate::support::house::{TestHouse, house, house_of, house_with, team};

const ANY: u32 = 0xffff_ffff;

async fn configured(house: &TestHouse) -> Desk {
    let mut desk = Desk::connected(house, 20);
    let services = ServiceMask(services_of_bridge().0 | ServiceMask::CTI_SERVICE_CONFIG_EVENTS.0);
    let opened = desk.opens(open_req("reports", services)).await;
    assert_eq!(opened.services_granted, services);
    desk.receives_system_event().await;
    desk
}

fn asks_for(desk: &mut Desk, parts: u32) -> Vec<AnyMessage> {
    desk.sends(ConfigRequestEvent {
        config_information: ConfigMsgMask(parts),
        peripheral_id: ANY,
        ..Default::default()
    });
    std::iter::from_fn(|| desk.has_received()).collect()
}

async fn keys(house: &TestHouse) -> ConfigKeyEvent {
    let mut desk = configured(house).await;
    desk.sends(ConfigRequestKeyEvent { peripheral_id: ANY, ..Default::default() });
    match desk.receives().await {
        AnyMessage::ConfigKeyEvent(keys) => keys,
        other => panic!("CONFIG_KEY_EVENT expected, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn skill_groups_agents_and_devices_come_ten_a_message_between_begin_and_end() {
    let supervised = |config: &mut Config| {
        config.teams = vec![team(1, &["1001"], &["1002"])];
    };
    let house = house_with(supervised).await;
    let mut desk = configured(&house).await;
    let told = asks_for(&mut desk, 1 | 2 | 4 | 8);
    let (Some(AnyMessage::ConfigBeginEvent(begin)), Some(AnyMessage::ConfigEndEvent(end))) =
        (told.first(), told.last())
    else {
        panic!("a begin and an end expected, got {told:?}")
    };
    assert_eq!((begin.config_type.0, begin.config_information.0, end.config_end_status), (1, 2 | 4 | 8, 0));
    let (mut groups, mut agents, mut devices) = (Vec::new(), Vec::new(), Vec::new());
    for message in &told[1..told.len() - 1] {
        let count = match message {
            AnyMessage::ConfigSkillGroupEvent(event) => {
                groups.extend(event.records.iter().map(|one| (one.peripheral_number, one.peripheral_name.clone())));
                (event.num_records, event.records.len())
            }
            AnyMessage::ConfigAgentEvent(event) => {
                agents.extend(event.records.iter().map(|one| (one.login_id.clone(), one.agent_type)));
                (event.num_records, event.records.len())
            }
            AnyMessage::ConfigDeviceEvent(event) => {
                devices.extend(event.records.iter().map(|one| one.extension.clone()));
                (event.num_records, event.records.len())
            }
            other => panic!("records expected, got {other:?}"),
        };
        assert_eq!(usize::from(count.0), count.1);
        assert!(count.1 <= 10);
    }
    assert_eq!(groups, [(Some(1), text("sales")), (Some(2), text("support")), (Some(3), text("billing"))]);
    assert_eq!((agents.len(), devices.len()), (100, 100));
    assert_eq!(agents[0], (text("1001"), Some(ConfigAgentType::CONFIG_SUPERVISOR)));
    assert_eq!(agents[99], (text("1100"), Some(ConfigAgentType::CONFIG_AGENT)));
    assert_eq!(devices[99], text("3100"));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_an_empty_block_and_what_stands_for_nothing_is_refused() {
    let house = house().await;
    let mut desk = configured(&house).await;
    for parts in [0, ConfigMsgMask::CONFIG_CALL_TYPE.0] {
        match &asks_for(&mut desk, parts)[..] {
            [AnyMessage::ConfigBeginEvent(_), AnyMessage::ConfigEndEvent(end)] => assert_eq!(end.config_end_status, 4),
            other => panic!("a begin and an end expected, got {other:?}"),
        }
    }
    match &asks_for(&mut desk, 0x8000)[..] {
        [AnyMessage::FailureConf(failure)] => assert_eq!(failure.status, Status::E_CTI_INVALID_CONFIG_MSG_MASK),
        other => panic!("FAILURE_CONF expected, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_changes_with_its_part_and_with_nothing_else() {
    let first = keys(&house().await).await;
    assert_eq!(keys(&house().await).await, first, "the same after a restart");
    let mut world = EmbeddedConfig::default();
    world.queues[0].name = "other".into();
    let other = keys(&house_of(world, |_| ()).await).await;
    assert_ne!(other.skill_group_config_key, first.skill_group_config_key);
    assert_eq!(other.agent_config_key, first.agent_config_key);
    assert_eq!(other.device_config_key, first.device_config_key);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_asks_again_and_again_without_reading_is_answered_once() {
    let house = house().await;
    let mut desk = configured(&house).await;
    let request: ConfigRequestEvent =
        ConfigRequestEvent { config_information: ConfigMsgMask(0xf), peripheral_id: ANY, ..Default::default() };
    let mut bytes = bytes::BytesMut::new();
    for _ in 0..1_000 {
        AnyMessage::from(request.clone()).encode(desk.version, &mut bytes).unwrap();
    }
    desk.sends_bytes(&bytes);
    let told: Vec<_> = std::iter::from_fn(|| desk.has_received()).collect();
    let count = |name: &str| told.iter().filter(|message| message.name() == Some(name)).count();
    assert_eq!((count("CONFIG_BEGIN_EVENT"), count("CONFIG_END_EVENT"), count("FAILURE_CONF")), (1, 1, 999));
    // What was asked for has been read by now: the next one is answered.
    assert!(matches!(&asks_for(&mut desk, 0xf)[0], AnyMessage::ConfigBeginEvent(_)));
}

#[tokio::test(start_paused = true)]
async fn an_acd_with_more_than_a_connection_may_be_owed_is_told_whole() {
    let mut world = EmbeddedConfig::default();
    world.agents[0].count = 40_000;
    let house = house_of(world, |_| ()).await;
    let mut desk = configured(&house).await;
    let told = asks_for(&mut desk, ConfigMsgMask::CONFIG_AGENT.0);
    let agents: usize = told
        .iter()
        .map(|message| match message {
            AnyMessage::ConfigAgentEvent(event) => event.records.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(agents, 40_000);
    assert!(matches!(told.last(), Some(AnyMessage::ConfigEndEvent(end)) if end.config_end_status == 0));
}
