//! What recognisers say of the registry: every service that a protocol is at home in exists there.

use portreeve_traffic::protocol;
use registry::Paper;

#[test]
fn every_service_is_in_the_registry() {
    let paper = Paper::builtin();
    let unknown: Vec<(&str, &str)> = protocol::ALL
        .iter()
        .map(|recogniser| &recogniser.protocol)
        .flat_map(|protocol| protocol.services.iter().map(|service| (protocol.name, *service)))
        .filter(|(_, service)| paper.by_name(service).next().is_none())
        .collect();
    assert_eq!(unknown, []);
}
