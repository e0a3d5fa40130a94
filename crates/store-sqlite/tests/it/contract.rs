//! One named test per clause of every port.

mod bus {
    contract_tests::bus_contract!(crate::world::folder);
    contract_tests::bus_bound_contract!(crate::world::small_folder);
}

mod idempotency {
    contract_tests::idempotency_contract!(crate::world::folder);
}

mod ledger {
    contract_tests::ledger_contract!(crate::world::folder);
}

mod quarantine {
    contract_tests::quarantine_contract!(crate::world::folder);
}

mod analytics {
    contract_tests::analytics_contract!(crate::world::folder);
}

mod audit {
    contract_tests::audit_contract!(crate::world::folder);
}

mod sources {
    contract_tests::sources_contract!(crate::world::folder);
}

mod registry {
    contract_tests::registry_contract!(crate::world::folder);
}

mod seals {
    contract_tests::seals_contract!(crate::world::folder);
}
