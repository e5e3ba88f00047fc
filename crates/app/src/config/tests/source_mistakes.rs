//! Mistakes in a source: its name, its secrets, its gates. All of them fail closed.

use super::*;

#[test]
fn sources_fail_closed() {
    let source = |rest: &str| format!("[sources.shop]\nprovider = \"stripe\"\n{rest}");
    check(&[
        (&source(""), "rollbook.toml line 5: `sources.shop` has no secret; give it `secrets = [{ file = \"…\" }]`"),
        (
            &source("secrets = []"),
            "rollbook.toml line 5: `sources.shop` has no secret; give it `secrets = [{ file = \"…\" }]`",
        ),
        (
            &source("secrets = [{ env = \"MISSING\" }]"),
            "rollbook.toml line 7: `sources.shop.secrets[0]` needs the environment variable MISSING, which is not set; set it, or use `file`",
        ),
        (
            &source("secrets = [{ file = \"does/not/exist\" }]"),
            "rollbook.toml line 7: `sources.shop.secrets[0]` needs the file `does/not/exist`, which cannot be read: no such file or directory; create it or mend its rights",
        ),
        (
            &source("secrets = [{ value = \"\" }]"),
            "rollbook.toml line 7: `sources.shop.secrets[0]` is empty; put the secret there",
        ),
        (
            &source("secrets = [{ env = \"S\", file = \"s\" }]"),
            "rollbook.toml line 7: `sources.shop.secrets[0]` must say where the secret is, by exactly one of `env`, `file` and `value`",
        ),
        (
            &source("secrets = [{ key_id = \"a\" }]"),
            "rollbook.toml line 7: `sources.shop.secrets[0]` must say where the secret is, by exactly one of `env`, `file` and `value`",
        ),
        (
            &source(&format!("secrets = [\"{SECRET}\"]")),
            "rollbook.toml line 7: `sources.shop.secrets[0]` must look like `{ file = \"…\" }`",
        ),
        (
            &source(&format!("secrets = \"{SECRET}\"")),
            "rollbook.toml line 7: `sources.shop.secrets` must be a list such as `secrets = [{ file = \"…\" }]`",
        ),
        (
            &source("secrets = [{ env = \"S\", key_id = \"a\" }, { env = \"S\", key_id = \"a\" }]"),
            "rollbook.toml line 7: `sources.shop.secrets[1]` has the same `key_id` as one before it; each key of a source needs its own",
        ),
        (
            &source("verifier = \"insecure-none\""),
            "rollbook.toml line 7: `sources.shop.verifier` is `insecure-none`, so anybody could send it callbacks; give it `secrets`, or start with --insecure if that is meant",
        ),
        (
            &source("verifier = \"insecure-none\"\nsecrets = [{ env = \"S\" }]"),
            "rollbook.toml line 7: `sources.shop.verifier` is `insecure-none`, yet the source has `secrets`; leave one of the two out",
        ),
        (
            &source("verifier = \"none\""),
            "rollbook.toml line 7: `sources.shop.verifier` may only say `insecure-none`; leave it out to verify signatures",
        ),
    ]);
}

#[test]
fn names_of_sources_and_providers_are_checked() {
    let named = |name: &str| format!("[sources.{name}]\nprovider = \"stripe\"\nsecrets = [{{ env = \"S\" }}]");
    check(&[
        (
            &named("Shop"),
            "rollbook.toml line 5: `sources.Shop` is no source name; use up to 64 of a-z, 0-9, `-` and `_`, as it is part of a URL",
        ),
        (
            &named("\"a.b\""),
            "rollbook.toml line 5: `sources.a.b` is no source name; use up to 64 of a-z, 0-9, `-` and `_`, as it is part of a URL",
        ),
        (
            &named("rollbook"),
            "rollbook.toml line 5: `sources.rollbook` is a name kept for Rollbook's own use; choose another",
        ),
        (
            "[sources.shop]\nprovider = \"strip\"\nsecrets = [{ env = \"S\" }]",
            "rollbook.toml line 6: `sources.shop.provider` names no provider: `strip`; did you mean `stripe`?",
        ),
        (
            "[sources.shop]\nsecrets = [{ env = \"S\" }]",
            "rollbook.toml line 5: `sources.shop.provider` is missing; add a line such as `provider = \"stripe\"`",
        ),
        (
            "[sources.shop]\nprovider = \"stripe\"\nsecrets = [{ env = \"S\" }]\naccount = \"\"",
            "rollbook.toml line 8: `sources.shop.account` is empty; leave it out to use the source's name",
        ),
        (
            "[sources.shop]\nprovider = \"stripe\"\nsecrets = [{ env = \"S\" }]\nemail_field = \"\"",
            "rollbook.toml line 8: `sources.shop.email_field` is empty; leave it out to use the provider's own field",
        ),
        ("[sources]\nshop = 3", "rollbook.toml line 6: `sources.shop` must be a section, not a number"),
    ]);
    assert!(resolve(&club(&named(&"a".repeat(64)))).is_ok());
    assert!(resolve(&club(&named(&"a".repeat(65)))).is_err());
}

#[test]
fn a_secret_that_the_provider_cannot_use_is_not_quoted() {
    let text = club(
        "[sources.hook]\nprovider = \"standard-webhooks\"\nsecrets = [{ value = \"whsec_!!hunter2!!hunter2!!\" }]",
    );
    let sentence = sentence(&text);
    assert!(sentence.starts_with("rollbook.toml line 7: `sources.hook.secrets` cannot be used: "), "{sentence}");
    assert!(
        sentence.ends_with("; copy it again from standard-webhooks") && !sentence.contains("hunter2"),
        "{sentence}"
    );
}

#[test]
fn gates_are_checked() {
    let source = |rest: &str| format!("[sources.shop]\nprovider = \"stripe\"\nsecrets = [{{ env = \"S\" }}]\n{rest}");
    let proxied = |rest: &str| format!("[ingest]\ntrusted_proxies = [\"127.0.0.1\"]\n{}", source(rest));
    check(&[
        (
            "[ingest]\ntrusted_proxies = [\"10.0.0.1\", \"0.0.0.0/0\"]",
            "rollbook.toml line 6: `ingest.trusted_proxies[1]` trusts everybody to say who they are; name your proxies alone",
        ),
        (
            &source("allow_ips = []"),
            "rollbook.toml line 8: `sources.shop.allow_ips` is an empty list; name who may pass, or leave the key out to ask nothing",
        ),
        (
            &source("basic_auth = []"),
            "rollbook.toml line 8: `sources.shop.basic_auth` is an empty list; name who may pass, or leave the key out to ask nothing",
        ),
        (
            &source("allow_ips = [\"10.0.0.0/8\", \"10.0.0.0/33\"]"),
            "rollbook.toml line 8: `sources.shop.allow_ips` has no address or network in `10.0.0.0/33`; write one like `198.241.162.0/24` or `203.0.113.7`",
        ),
        (
            "[ingest]\ntrusted_proxies = [\"localhost\"]",
            "rollbook.toml line 6: `ingest.trusted_proxies` has no address or network in `localhost`; write one like `198.241.162.0/24` or `203.0.113.7`",
        ),
        (
            &source("basic_auth = [{ user = \"a:b\", password = { env = \"S\" } }]"),
            "rollbook.toml line 8: `sources.shop.basic_auth[0].user` must be a name without a colon, because basic auth cannot carry one",
        ),
        (
            &source("basic_auth = [{ user = \"a\" }]"),
            "rollbook.toml line 8: `sources.shop.basic_auth[0].password` is missing; give `password = { file = \"…\" }`",
        ),
        (
            &source(&format!("basic_auth = [{{ user = \"a\", password = \"{SECRET}\" }}]")),
            "rollbook.toml line 8: `sources.shop.basic_auth[0].password` must be a section, not a text",
        ),
        (
            &source("basic_auth = [{ user = \"a\", password = { env = \"MISSING\" } }]"),
            "rollbook.toml line 8: `sources.shop.basic_auth[0].password` needs the environment variable MISSING, which is not set; set it, or use `file`",
        ),
        (
            &source("client_certs = { header = \"x-cert\", fingerprints = [\"00\"] }"),
            "rollbook.toml line 8: `sources.shop.client_certs` believes a header that anybody could send; name your proxy in `ingest.trusted_proxies`",
        ),
        (
            &proxied("client_certs = { header = \"x-cert\", fingerprints = [\"00:11\"] }"),
            "rollbook.toml line 10: `sources.shop.client_certs.fingerprints[0]` is no fingerprint: `00:11`; give SHA-256 or SHA-1 in hex, with or without colons",
        ),
        (
            &proxied("client_certs = { header = \"x cert\", fingerprints = [\"00:11\"] }"),
            "rollbook.toml line 10: `sources.shop.client_certs.header` is no header name: `x cert`; write one like `x-client-fingerprint`",
        ),
        (
            &proxied("client_certs = { header = \"x-cert\", fingerprints = [] }"),
            "rollbook.toml line 10: `sources.shop.client_certs.fingerprints` has no fingerprint, so nobody could pass; list at least one",
        ),
    ]);
}
