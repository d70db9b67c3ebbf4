//! Facts from outside: what the kernel says of interfaces, addresses and neighbours, and what others
//! call devices.

pub mod names;
pub mod netlink;
pub mod routes;
pub mod routing;
pub mod vendor;
