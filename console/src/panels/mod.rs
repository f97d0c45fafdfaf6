//! The areas of a page: each draws what it is given and reports wishes upwards.

pub(crate) mod assign;
pub(crate) mod banner;
pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod commands;
pub(crate) mod control;
pub(crate) mod deeds;
pub(crate) mod driving;
pub(crate) mod evidence;
pub(crate) mod go_to;
pub(crate) mod header;
pub(crate) mod hud;
pub(crate) mod job_row;
pub(crate) mod keys_help;
pub(crate) mod machine;
pub(crate) mod map;
pub(crate) mod picture;
pub(crate) mod record;
pub(crate) mod robot_card;
pub(crate) mod robot_state;
pub(crate) mod safety_bar;
pub(crate) mod site_map;
pub(crate) mod site_stop;
