//! Sessions that come, stay and go.

use crate::Failure;
use crate::report::Report;

pub(crate) fn measure(_: &mut Report) -> Result<(), Failure> {
    Ok(())
}
