//! Every detector. To add one: write `detectors/<name>.rs`, then add its `mod` line here. The build
//! script makes the registry of these lines. They stand here as they are, so that rustfmt finds the files.

mod access_given_outside;
mod activity_drift;
mod anomalous_credential_access;
mod anomalous_defense_evasion;
mod anomalous_discovery;
mod anomalous_exfiltration;
mod anomalous_impact;
mod anomalous_initial_access;
mod anomalous_persistence;
mod anomalous_privilege_escalation;
mod anomalous_s3_discovery;
mod anomalous_s3_exfiltration;
mod anomalous_s3_impact;
mod beacon;
mod brute_force_actor;
mod brute_force_target;
mod calls_in_vain;
mod compute_credentials_outside_aws;
mod console_sign_in_without_mfa;
mod coverage_gap;
mod credentials_for_others;
mod data_leaving;
mod denied_burst;
mod egress_after_session;
mod encryption_fallback;
mod impossible_travel;
mod inbound_probes;
mod instance_credentials_elsewhere;
mod lateral_movement;
mod logging_switched_off;
mod long_session;
mod mass_secret_read;
mod opened_then_entered;
mod outbound_flood;
mod port_scan;
mod reject_storm;
mod root_use;
mod s3_mass_deletion;
mod s3_mass_reencryption;
mod s3_read_confirmed;
mod segment_drift;
mod sentrail_tampered_with;
mod session_from_outside;
mod silence_after_stop;
mod slow_data_leaving;
mod unusual_port;
mod unusual_resolver;

use crate::{
    anomaly::Watched,
    detector::{Detector, Severity},
};
use serde::{Deserialize, Serialize};
use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
};

macro_rules! detectors {
    ($($name:ident),*) => {
        /// Table `[detectors]`: the switches that all share, then one sub-table per detector.
        /// All are plain fields of one struct, so an unknown key is an error without `flatten`.
        #[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Settings {
            /// Detectors and rules that stay silent, by id or UUID, for example `["root-use"]`. They go on
            /// learning. That each exists is checked once the rules are there.
            pub disable: BTreeSet<String>,
            /// Severities that replace those of the verdicts, for example `{ root-use = "high" }`.
            pub severity: BTreeMap<String, Severity>,
            $(
                #[doc = concat!("Table `[detectors.", stringify!($name), "]`, dashes for underscores.")]
                pub $name: $name::Settings,
            )*
        }

        /// Every detector, in the order of their ids.
        pub static DETECTORS: &[Detector] = &[$(Detector {
            meta: &$name::META,
            contribute: $name::contribute,
            judge: |settings, case| $name::judge(&settings.$name, case),
            of_unusual: |settings| (&settings.$name as &dyn Any).downcast_ref(),
        }),*];
    };
}

// `detectors! { access_given_outside, ... }`: the names of the `mod` lines above.
include!(concat!(env!("OUT_DIR"), "/detectors.rs"));

/// Every detector of unusual behaviour, with the calls that it judges.
pub(crate) fn unusual() -> impl Iterator<Item = (&'static Detector, &'static Watched)> {
    DETECTORS.iter().filter_map(|one| Some((one, one.meta.unusual()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/detectors");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
        for name in files.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()) {
            let id = name.replace('_', "-");
            assert!(
                DETECTORS.iter().any(|detector| detector.meta.id == id),
                "nothing speaks as `{id}`: write `mod {name};` into detect/src/detectors.rs, and \
                 `id: \"{id}\"` into `META` of detect/src/detectors/{name}.rs"
            );
        }
    }

    #[test]
    fn every_detector_of_unusual_behaviour_can_be_looked_into() {
        let ids = DETECTORS.iter().map(|detector| detector.meta.id);
        let ids: Vec<_> = ids.filter(|id| id.starts_with("anomalous-")).collect();
        let settings = Settings::default();
        let has_settings = |one: &&Detector| (one.of_unusual)(&settings).is_some();
        let listed = unusual().map(|(one, _)| one).filter(has_settings).map(|one| one.meta.id);
        let listed: Vec<_> = listed.collect();
        assert_eq!(ids, listed, "they have `Interest::Unusual` and `anomaly::Settings`");
    }

    #[test]
    fn the_interests_fit_the_bits_that_hold_them() {
        assert!(DETECTORS.len() <= 64);
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Config {
        detectors: Settings,
    }

    #[test]
    fn switches_live_beside_the_tables_of_the_detectors() {
        let text = r#"
            [detectors]
            disable = ["root-use"]
            severity = { s3-mass-deletion = "critical" }
            [detectors.s3-mass-deletion]
            calls-min = 7
        "#;
        let settings = toml::from_str::<Config>(text).unwrap().detectors;
        assert_eq!(settings.disable, BTreeSet::from(["root-use".to_owned()]));
        assert_eq!(settings.severity["s3-mass-deletion"], Severity::Critical);
        assert_eq!(settings.s3_mass_deletion.calls_min, 7);
    }

    #[test]
    fn a_key_that_does_nothing_is_an_error_with_its_line() {
        for (text, wrong) in [
            ("[detectors]\ndisabel = []", "disabel"),
            ("[detectors.root-use]\nseverity = \"low\"", "severity"),
        ] {
            let error = toml::from_str::<Config>(text).unwrap_err().to_string();
            assert!(error.contains(wrong) && error.contains("line 2"), "{error}");
        }
    }
}
