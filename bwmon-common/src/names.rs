//! Names in the ELF. A test holds each against the object that was built.

/// XDP ingress for kernels with multi-buffer frames (5.18).
pub const PROGRAM_XDP_FRAGS: &str = "bwmon_xdp_frags";
/// XDP ingress without them.
pub const PROGRAM_XDP: &str = "bwmon_xdp";
/// TC ingress, for interfaces whose driver has no native XDP.
pub const PROGRAM_TC_INGRESS: &str = "bwmon_ingress";
/// TC egress.
pub const PROGRAM_TC_EGRESS: &str = "bwmon_egress";
/// Every program of the object.
pub const PROGRAMS: [&str; 4] = [
    PROGRAM_XDP_FRAGS,
    PROGRAM_XDP,
    PROGRAM_TC_INGRESS,
    PROGRAM_TC_EGRESS,
];

/// Array, `cpu * slots + slot` → [`Row`](crate::layout::Row).
pub const MAP_COUNTERS: &str = "COUNTERS";
/// Array, `slot - first hashed slot` → [`Address`](crate::layout::Address).
pub const MAP_ADDRESSES: &str = "ADDRESSES";
/// Hash, [`Address`](crate::layout::Address) → slot.
pub const MAP_SLOTS: &str = "SLOTS";
/// Queue of free slots.
pub const MAP_FREE: &str = "FREE";
/// Array, `cpu * CACHE_ROWS + mix(address)` → [`CacheRow`](crate::layout::CacheRow).
pub const MAP_CACHE: &str = "CACHE";
/// Array of two [`Networks`](crate::networks::Networks), of which one is in force.
pub const MAP_NETWORKS: &str = "NETWORKS";
/// Array of one `u32`: which of the two is in force.
pub const MAP_ACTIVE: &str = "ACTIVE";
/// The maps that survive a restart when pinned.
pub const MAPS: [&str; 7] = [
    MAP_COUNTERS,
    MAP_ADDRESSES,
    MAP_SLOTS,
    MAP_FREE,
    MAP_CACHE,
    MAP_NETWORKS,
    MAP_ACTIVE,
];

/// Global `u32`: slots per CPU in the counter table.
pub const GLOBAL_SLOTS: &str = "SLOTS_PER_CPU";
/// Global `u32`: the first slot that is found through the hash.
pub const GLOBAL_HASH_BASE: &str = "HASH_BASE";
/// Global `u32`: 1 when frames start with an Ethernet header, 0 when with the IP header.
pub const GLOBAL_ETHERNET: &str = "ETHERNET";
