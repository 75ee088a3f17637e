//! NMOS documents: IS-04 resources and grains, IS-05 parameters, and the sessions they speak of.
