//! Somebody who signs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Value, json};

use crate::tokens::Algorithm;

/// A key of each kind, under one name.
pub(super) struct Issuer {
    pub(super) id: &'static str,
    rsa: RsaKeyPair,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Issuer {
    pub(super) fn new(id: &'static str) -> Self {
        let random = SystemRandom::new();
        let ecdsa = |algorithm| {
            let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap()
        };
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        Self {
            id,
            rsa: RsaKeyPair::from_pkcs8(include_bytes!("rsa.pk8")).unwrap(),
            p256: ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            p384: ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).unwrap(),
        }
    }

    /// The key that most tokens are signed with.
    pub(super) fn key(&self) -> Value {
        self.key_for(Algorithm::Es256)
    }

    /// What is published of the key for an algorithm.
    pub(super) fn key_for(&self, algorithm: Algorithm) -> Value {
        let coordinates = |curve: &str, point: &[u8]| {
            let (x, y) = point[1..].split_at(point.len() / 2);
            json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
        };
        let mut key = match algorithm {
            Algorithm::Es256 => coordinates("P-256", self.p256.public_key().as_ref()),
            Algorithm::Es384 => coordinates("P-384", self.p384.public_key().as_ref()),
            Algorithm::EdDsa => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(self.ed25519.public_key().as_ref()) })
            }
            _ => {
                let RsaPublicKeyComponents { n, e } =
                    RsaPublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
                json!({ "kty": "RSA", "n": encode(&n), "e": encode(&e) })
            }
        };
        key["kid"] = self.id.into();
        key["use"] = "sig".into();
        key
    }

    pub(super) fn sign(&self, claims: &Value) -> String {
        self.sign_as(
            Algorithm::Es256,
            &json!({ "alg": "ES256", "kid": self.id }),
            claims,
        )
    }

    /// These claims to the letter.
    pub(super) fn sign_text(&self, claims: &str) -> String {
        let header = json!({ "alg": "ES256", "kid": self.id });
        self.sign_wrapped(&header, claims)
    }

    /// Whatever is said, be it claims or not.
    pub(super) fn sign_wrapped(&self, header: &Value, payload: &str) -> String {
        self.signed(
            Algorithm::Es256,
            format!("{}.{}", encode(header.to_string()), encode(payload)),
        )
    }

    /// Whatever the header says.
    pub(super) fn sign_as(&self, algorithm: Algorithm, header: &Value, claims: &Value) -> String {
        let payload = encode(claims.to_string());
        self.signed(
            algorithm,
            format!("{}.{payload}", encode(header.to_string())),
        )
    }

    fn signed(&self, algorithm: Algorithm, message: String) -> String {
        let random = SystemRandom::new();
        let bytes = message.as_bytes();
        let signature = match algorithm {
            Algorithm::Es256 => self.p256.sign(&random, bytes).unwrap().as_ref().to_vec(),
            Algorithm::Es384 => self.p384.sign(&random, bytes).unwrap().as_ref().to_vec(),
            Algorithm::EdDsa => self.ed25519.sign(bytes).as_ref().to_vec(),
            Algorithm::Rs256 => self.sign_rsa(&RSA_PKCS1_SHA256, bytes),
            Algorithm::Rs384 => self.sign_rsa(&RSA_PKCS1_SHA384, bytes),
            Algorithm::Rs512 => self.sign_rsa(&RSA_PKCS1_SHA512, bytes),
            Algorithm::Ps256 => self.sign_rsa(&RSA_PSS_SHA256, bytes),
            Algorithm::Ps384 => self.sign_rsa(&RSA_PSS_SHA384, bytes),
            Algorithm::Ps512 => self.sign_rsa(&RSA_PSS_SHA512, bytes),
        };
        format!("{message}.{}", encode(signature))
    }

    fn sign_rsa(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public().modulus_len()];
        self.rsa
            .sign(encoding, &SystemRandom::new(), message, &mut signature)
            .unwrap();
        signature
    }
}

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
