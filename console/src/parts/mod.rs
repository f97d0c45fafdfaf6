//! The smallest pieces that are drawn: they take values and report wishes.

pub(crate) mod badge;
pub(crate) mod gauges;
pub(crate) mod icon;
pub(crate) mod on_screen;
pub(crate) mod refusal;
pub(crate) mod ring;
pub(crate) mod unsigned;
pub(crate) mod video;
