//! Claims about the sockets of robots and consoles: the real router on a real port, real clients, a real Postgres.

mod adverts;
mod client;
mod consoles;
mod events;
mod lagging;
mod revocation;
mod robots;
mod views;
