//! Wire protocols of computer telephony integration.
