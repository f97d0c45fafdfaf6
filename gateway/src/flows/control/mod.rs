//! Who steers a robot: what people do about it, what time does, and who is told.

pub mod act_on_control;
pub mod end_control;
pub mod lapse_control;
pub mod present;
pub mod tell;
pub mod views;
