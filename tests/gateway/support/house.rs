//! A gateway without sockets, on virtual time: a table, one ACD with a hand on it, and a listener's dialect.

use std::sync::Arc;
use std::time::Duration;

use ctigate::access::Gate;
use ctigate::acd::Peripheral;
use ctigate::acd::embedded::EmbeddedConfig;
use ctigate::config::{ClientConfig, Config, DialectName, Flavour, TeamConfig};
use ctigate::dialects::ged188::Ged188;
use ctigate::dialects::opencti::{OpenCti, Sessions};
use ctigate::model::{Password, PeripheralId, Role, Secret, TeamId};
use ctigate::operations::{House, Rules};
use ctigate::server::rules;

use super::acd::HeldAcd;

pub struct TestHouse {
    pub house: Arc<House>,
    pub acd: Arc<HeldAcd>,
    pub dialect: Arc<Ged188>,
    pub opencti: Arc<OpenCti>,
    pub is_uccx: bool,
    pub outbound_bytes_max: usize,
}

pub const PERIPHERAL: PeripheralId = PeripheralId(5000);
pub const ACD_ANSWER: Duration = Duration::from_secs(5);

pub fn team(id: u32, supervisors: &[&str], agents: &[&str]) -> TeamConfig {
    let ids = |ids: &[&str]| ids.iter().map(ToString::to_string).collect();
    TeamConfig {
        id: TeamId(id),
        name: format!("team {id}"),
        peripheral: None,
        supervisors: ids(supervisors),
        agents: ids(agents),
    }
}

/// The default world.
pub async fn house() -> TestHouse {
    house_with(|_| ()).await
}

pub async fn house_with(change: impl FnOnce(&mut Config)) -> TestHouse {
    house_of(EmbeddedConfig::default(), change).await
}

pub async fn house_of(world: EmbeddedConfig, change: impl FnOnce(&mut Config)) -> TestHouse {
    let mut config = Config::default();
    change(&mut config);
    house_by(world, &config, |_| ()).await
}

/// The default configuration, by other rules.
pub async fn house_with_rules(world: EmbeddedConfig, change: impl FnOnce(&mut Rules)) -> TestHouse {
    house_by(world, &Config::default(), change).await
}

/// Any configuration, by other rules.
pub async fn house_by(world: EmbeddedConfig, config: &Config, change: impl FnOnce(&mut Rules)) -> TestHouse {
    let acd = HeldAcd::new(world);
    let peripheral = Peripheral { id: PERIPHERAL, acd: Arc::<HeldAcd>::clone(&acd) as _ };
    let mut rules = Rules { acd_answer: ACD_ANSWER, audit: None, ..rules(config) };
    change(&mut rules);
    let house = House::new(vec![peripheral], config.teams(), rules);
    house.connect(config.limits.acd_events_max);
    house.all_online().await;
    let gate = Gate::new(config.doors().expect("no secret is kept elsewhere"));
    let listener = config.listeners[0].clone();
    let dialect = Arc::new(Ged188::new(Arc::clone(&house), Arc::clone(&gate), config, &listener));
    let of_opencti = config.listeners.iter().find(|listener| listener.dialect == DialectName::Opencti).cloned();
    let of_opencti = of_opencti.unwrap_or_default();
    let opencti = Arc::new(OpenCti::new(Arc::clone(&house), gate, config, &of_opencti, Sessions::default()));
    let is_uccx = listener.flavour == Flavour::Uccx;
    TestHouse { house, acd, dialect, opencti, is_uccx, outbound_bytes_max: config.limits.outbound_bytes_max }
}

/// A client without a password; a desktop may be that of any agent.
pub fn client(id: &str, role: Role) -> ClientConfig {
    let agents = (role < Role::Bridge).then(|| vec!["*".to_owned()]);
    let password = Some(Secret::Here(Password::default()));
    ClientConfig { id: id.to_owned(), role, password, agents, ..Default::default() }
}
