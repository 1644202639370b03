//! Limits, and the values that mean that nothing is given, by the guide's names.

macro_rules! special {
    ($( $name:ident: $type:ty = $value:literal; )*) => {
        $( #[doc = concat!("`", stringify!($value), "`.")] pub const $name: $type = $value; )*

        /// The table: names and values, in the guide's order.
        pub const NAMES: &[(&str, u32)] = &[$( (stringify!($name), $value), )*];
    };
}

special! {
    MAX_NUM_CTI_CLIENTS: u16 = 16;
    MAX_NUM_PARTIES: u16 = 16;
    MAX_NUM_DEVICES: u16 = 16;
    MAX_NUM_CALLS: u16 = 16;
    MAX_NUM_SKILL_GROUPS: u16 = 20;
    MAX_NUM_LINES: u16 = 10;
    NULL_CALL_ID: u32 = 0xffffffff;
    NULL_PERIPHERAL_ID: u32 = 0xffffffff;
    NULL_SERVICE: u32 = 0xffffffff;
    NULL_SKILL_GROUP: u32 = 0xffffffff;
    NULL_CALLTYPE: u16 = 0xffff;
}
