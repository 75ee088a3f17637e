//! How evenly a sender sends: the network and receiver models of ST 2110-21.
