//! One named test per clause of every port.

mod bus {
    contract_tests::bus_contract!(crate::world::redis);
    contract_tests::bus_bound_contract!(crate::world::small_redis);
}

mod idempotency {
    contract_tests::idempotency_contract!(crate::world::redis);
}
