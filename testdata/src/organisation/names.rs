//! Words that names are made of.

pub(super) const ORGANISATIONS: [&str; 6] =
    ["rivermill", "northgate", "tallow", "brightwater", "ashgrove", "kestrel"];
pub(super) const CONTENTS: [&str; 12] = [
    "invoices",
    "exports",
    "uploads",
    "reports",
    "backups",
    "events",
    "models",
    "media",
    "archive",
    "ledger",
    "artifacts",
    "lake",
];
pub(super) const SERVICES: [&str; 16] = [
    "billing",
    "search",
    "checkout",
    "catalog",
    "shipping",
    "mailer",
    "ledger",
    "profile",
    "recommend",
    "ingest",
    "export",
    "render",
    "gateway",
    "notify",
    "pricing",
    "stock",
];
pub(super) const ROLES: [&str; 8] =
    ["worker", "api", "loader", "sync", "cron", "stream", "cache", "report"];
pub(super) const GIVEN: [&str; 32] = [
    "ada", "amir", "anna", "bea", "carlos", "chen", "dana", "diego", "elif", "emma", "farah",
    "felix", "grace", "hana", "ines", "ivan", "jonas", "kavya", "lea", "liam", "marisol", "mei",
    "nadia", "noah", "olga", "omar", "priya", "rafael", "sana", "tomas", "yuki", "zoe",
];
pub(super) const FAMILY: [&str; 32] = [
    "abbott", "almeida", "bauer", "berg", "castro", "cohen", "costa", "dubois", "evans", "fischer",
    "garcia", "gupta", "haddad", "hansen", "ito", "ivanova", "jones", "kim", "kowalski", "lopez",
    "martin", "meyer", "nair", "novak", "okafor", "patel", "rossi", "sato", "schmidt", "silva",
    "tanaka", "walker",
];
