//! TLS for what bwmon asks of others: webhooks, and an API behind a TLS proxy.

/// Makes ring the provider of cryptography in this process. To be called before the first reqwest
/// client is built; further calls change nothing.
pub fn init() {
    // The error only says that a provider is there already, which is what is wanted.
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
}
