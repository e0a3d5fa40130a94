//! One named test per clause of every port.

mod ledger {
    contract_tests::ledger_contract!(crate::world::schema);
}

mod quarantine {
    contract_tests::quarantine_contract!(crate::world::schema);
}

mod audit {
    contract_tests::audit_contract!(crate::world::schema);
}

mod sources {
    contract_tests::sources_contract!(crate::world::schema);
}

mod registry {
    contract_tests::registry_contract!(crate::world::schema);
}

mod seals {
    contract_tests::seals_contract!(crate::world::schema);
}
