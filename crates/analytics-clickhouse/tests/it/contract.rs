//! One named test per clause of the port.

contract_tests::analytics_contract!(crate::world::database);
