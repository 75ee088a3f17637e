//! A stranger's client speaks TLS with us, and what is not TLS gets nothing.

use std::process::Command;

use super::*;

#[test]
fn curl_speaks_tls_with_us() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    match made {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => return eprintln!("SKIPPED: openssl: {error}"),
    }
    let place = Place::new("sshd", |settings| {
        settings.certificate = Some(certificate.clone());
        settings.key = Some(key);
    });
    let address = place.server.address();
    let asked = Command::new("curl")
        .args(["-sS", "--noproxy", "*", "--cacert"])
        .arg(&certificate)
        .args([
            "--connect-to",
            &format!("::{address}"),
            "-H",
            &format!("Authorization: Bearer {}", place.tokens["read"]),
        ])
        .arg(format!("https://localhost:{}/api/v1/status", address.port()))
        .output();
    match asked {
        Ok(output) => {
            let body = String::from_utf8_lossy(&output.stdout);
            assert!(
                body.contains("\"schema_version\":1"),
                "{body} {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Err(error) => return eprintln!("SKIPPED: curl: {error}"),
    }
    let mut plain = TcpStream::connect(address).unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"), "no words in the clear");
}
