//! Signatures as Standard Webhooks has them
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::hmac;

use crate::config::SigningKey;

/// The value of `webhook-signature` for a body that is sent at `timestamp`, in seconds since 1970.
pub(super) fn signature(key: &SigningKey, id: &str, timestamp: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.reveal());
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{timestamp}.").as_bytes());
    context.update(body);
    format!("v1,{}", BASE64_STANDARD.encode(context.sign()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn check(secret: &str, expected: &str) {
        let key = SigningKey::new(Secret::new(secret.to_owned())).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signature = signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signature, expected);
    }

    #[test]
    fn the_vectors_of_the_specification_hold() {
        check(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        );
        check("hunter2", "v1,OHuJfE0XDTiJkWS6x0mt8iAupLiXBJV9AJWrIlH+Scw=");
    }

    #[test]
    fn what_is_no_base64_is_no_key() {
        assert_eq!(SigningKey::new(Secret::new("whsec_*".to_owned())), None);
    }
}
