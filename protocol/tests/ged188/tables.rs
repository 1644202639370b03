//! Small types: names of numbers, text, secrets, versions.

use cti_protocol::ged188::codes::{AgentState, CallMsgMask, ServiceMask, Status, special};
use cti_protocol::ged188::{
    Data, Flavour, MessageType, NamedArray, NamedVariable, Secret, Tag, Text, TextError, Version,
};

#[test]
fn a_code_prints_its_name_and_an_unknown_one_its_number() {
    assert_eq!(format!("{:?} {:?}", AgentState(1), AgentState(77)), "AGENT_STATE_LOGOUT AgentState(77)");
    assert_eq!(format!("{:?}", Status::E_CTI_INVALID_VERSION), "E_CTI_INVALID_VERSION");
    assert_eq!(format!("{:?} {:?}", MessageType(3), MessageType(9_999)), "OPEN_REQ MessageType(9999)");
    assert_eq!(format!("{:?} {:?}", Tag(1), Tag(9_999)), "CLIENT_ID_TAG Tag(9999)");
    assert_eq!(format!("{} {}", MessageType(9_999), Tag(9_999)), "message type 9999 tag 9999");
    assert_eq!(special::NULL_SKILL_GROUP, u32::MAX);
}

#[test]
fn a_mask_prints_its_bits_and_what_has_no_name() {
    let both = ServiceMask::CTI_SERVICE_CLIENT_EVENTS | ServiceMask::CTI_SERVICE_ALL_EVENTS;
    assert_eq!(format!("{both:?}"), "CTI_SERVICE_CLIENT_EVENTS | CTI_SERVICE_ALL_EVENTS");
    assert_eq!(format!("{:?}", ServiceMask(0x4001)), "CTI_SERVICE_CLIENT_EVENTS | 0x4000");
    assert_eq!(format!("{:?} {:?}", ServiceMask(0), ServiceMask(0x4000)), "0x0 0x4000");
    assert!(both.has(ServiceMask::CTI_SERVICE_ALL_EVENTS) && !both.has(ServiceMask::CTI_SERVICE_SUPERVISOR));
    assert_eq!(ServiceMask(u32::MAX) & !ServiceMask::ALL, ServiceMask(0x7d81_4200 | 0x0002_0000));
    assert_eq!(CallMsgMask::ALL, CallMsgMask(u32::MAX));
    assert!(ServiceMask(0).is_empty());
}

#[test]
fn a_tag_is_named_as_the_newest_version_here_names_it() {
    assert_eq!(Tag(312).name(), Some("NUM_POSITIVE_ANSWERS_SUGGESTIONS"));
    assert_eq!(Tag::MEDIA_TYPE_TAG, Tag(312));
    assert_eq!(MessageType::START_NETWORK_RECORDING_REQ, MessageType(267));
}

#[test]
fn a_text_needs_room_for_its_nul() {
    let full: Text<5> = Text::new("1001").expect("four characters and NUL");
    assert_eq!((full.as_bytes(), full.wire_bytes()), (&b"1001"[..], &b"1001\0"[..]));
    assert_eq!(Text::<5>::new("10011"), Err(TextError::TooLong { bytes: 6, bytes_max: 5 }));
    assert_eq!(Text::<5>::new("1\x002"), Err(TextError::HoldsNul { offset: 1 }));
    assert_eq!(Text::<5>::new("").expect("only NUL"), Text::default());
    assert!(Text::<5>::new("").expect("only NUL").is_empty() && Text::<5>::default().is_empty());
    assert_eq!((full.to_string().as_str(), format!("{full:?}").as_str()), ("1001", "\"1001\""));
    assert_eq!(full.to_str(), Some("1001"));
}

#[test]
fn a_text_is_cut_at_a_character() {
    assert_eq!(Text::<5>::cut("gr\u{fc}\u{fc}n").as_str(), "gr\u{fc}");
    assert_eq!(Text::<5>::cut("abc\0def").as_str(), "abc");
    assert_eq!(Text::<1>::cut("abc").as_str(), "");
}

#[test]
fn a_secret_never_prints() {
    let secret = Secret::new(Text::<64>::new("opensesame").expect("it fits"));
    assert_eq!(format!("{secret:?}"), "***");
    assert_eq!(secret.expose().as_str(), "opensesame");
    assert!(Data::<2>::new(&b"abc"[..]).is_err());
}

#[test]
fn named_variables_keep_the_limits_of_the_guide() {
    let (name, value) = ("n".repeat(32), "v".repeat(210));
    let variable = NamedVariable::new(&name, &value).expect("as long as allowed");
    assert_eq!((variable.name(), variable.value()), (name.as_str().into(), value.as_str().into()));
    assert!(NamedVariable::new(&"n".repeat(33), "").is_err());
    assert!(NamedVariable::new("n", &"v".repeat(211)).is_err());
    let array = NamedArray::new("calls", 9, "12").expect("short");
    assert_eq!((array.name(), array.index(), array.value()), ("calls".into(), 9, "12".into()));
    assert_eq!(format!("{array:?}"), "\"calls\"[9]=\"12\"");
}

#[test]
fn versions_know_how_wide_their_fields_are() {
    let widths = |version: Version| (version.tag_bytes(), version.length_bytes());
    for version in Version::all() {
        let expected = match (version.flavour(), version.number()) {
            (Flavour::Cce, 9..=19) | (Flavour::Uccx, 10..=17) => (1, 1),
            (Flavour::Cce, 20..=24) => (2, 2),
            (Flavour::Uccx, 18) => (2, 1),
            unknown => panic!("{unknown:?} is no version"),
        };
        assert_eq!(widths(version), expected, "{version}");
    }
    assert_eq!(Version::all().count(), 16 + 9);
    assert_eq!((Version::new(8), Version::new(25), Version::uccx(9), Version::uccx(19)), (None, None, None, None));
    assert_eq!(Version::new(24), Some(Version::LATEST));
}
