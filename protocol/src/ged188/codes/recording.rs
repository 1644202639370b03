//! Codes of media and recording.
//!
//! Source: GED-188, "Constants and Status Codes". Not here: which field holds which; the messages' tables say.

use super::codes;

codes! {
    /// Which way media goes. Names are ours.
    pub struct RtpDirection(u16: Ushort) {
        INPUT = 0;
        OUTPUT = 1;
        BI_DIRECTIONAL = 2;
    }
}

codes! {
    /// What media it is. Names are ours.
    pub struct RtpType(u16: Ushort) {
        AUDIO = 0;
        VIDEO = 1;
        DATA = 2;
    }
}

codes! {
    /// What makes a call recorded, from version 23.
    pub struct RecordingType(u16: Ushort) {
        CALL_RECORDING_TYPE_NONE = 0;
        CALL_RECORDING_TYPE_AUTOMATIC = 1;
        CALL_RECORDING_TYPE_APPLICATION_INITIATED_SILENT = 2;
        CALL_RECORDING_TYPE_USER_INITIATED_FROM_DEVICE = 3;
        CALL_RECORDING_TYPE_USER_INITIATED_FROM_APPLICATION = 4;
    }
}

codes! {
    /// What forks the media, from version 23.
    pub struct MediaForkingDeviceType(u16: Ushort) {
        CALL_RECORDING_MEDIA_FORKING_DEVICE_TYPE_NONE = 0;
        CALL_RECORDING_MEDIA_FORKING_DEVICE_TYPE_PHONE = 1;
        CALL_RECORDING_MEDIA_FORKING_DEVICE_TYPE_GW = 2;
    }
}

codes! {
    /// What a recorder is, from version 23.
    pub struct RecorderType(u16: Ushort) {
        CALL_RECORDING_MEDIA_FORKING_RECORDER_TYPE_UNKNOWN = 0;
        CALL_RECORDING_MEDIA_FORKING_RECORDER_TYPE_OPTIONAL_RECORDER = 1;
        CALL_RECORDING_MEDIA_FORKING_RECORDER_TYPE_MANDATORY_RECORDER = 2;
    }
}

codes! {
    /// How a recorder fares, from version 23.
    pub struct RecorderStatus(u16: Ushort) {
        CALL_RECORDING_MEDIA_FORKING_RECORDER_STATUS_UNKNOWN = 0;
        CALL_RECORDING_MEDIA_FORKING_RECORDER_STATUS_SUCCESS = 1;
        CALL_RECORDING_MEDIA_FORKING_RECORDER_STATUS_FAILURE = 2;
    }
}

codes! {
    /// Who hears the recording tone, from version 23. Names are ours.
    pub struct PlayToneDirection(u16: Ushort) {
        LOCAL = 0;
        REMOTE = 1;
        BOTH = 2;
        NONE = 3;
    }
}
