//! What protocols say of their ports is what the registry says: both lists are of one mind.

#[cfg(test)]
mod homes {
    use registry::Paper;
    use traffic::protocol;

    #[test]
    fn every_service_of_a_protocol_is_one_of_the_registry() {
        let paper = Paper::builtin();
        let mut unknown: Vec<String> = Vec::new();
        for recogniser in protocol::ALL {
            let protocol = &recogniser.protocol;
            for service in protocol.services {
                if paper.by_name(service).next().is_none() {
                    unknown.push(format!("{}: {service}", protocol.name));
                }
            }
        }
        assert!(!protocol::ALL.is_empty());
        assert_eq!(unknown, [""; 0], "names that the registry does not have");
    }

    #[test]
    fn every_carrier_of_a_service_is_a_protocol_that_we_recognise() {
        if protocol::by_name("http").is_none() {
            eprintln!("SKIPPED: HTTP is not recognised yet");
            return;
        }
        let unknown: Vec<&str> =
            registry::carriers().into_iter().filter(|name| protocol::by_name(name).is_none()).collect();
        assert_eq!(unknown, [""; 0], "carriers that no recogniser is called like");
    }
}
