//! Claims about the sockets of robots and consoles: the real router on a real port, real clients, a real Postgres.

mod adverts;
mod answers;
mod cases;
mod channels;
mod client;
mod consoles;
mod driving;
mod events;
mod floods;
mod held;
mod lagging;
mod narrow;
mod revocation;
mod rights;
mod robots;
mod stalled;
mod views;
