//! Facts from outside: what the kernel says of interfaces, addresses and neighbours.

pub mod netlink;
pub mod routing;
