//! Every detector. To add one: write `detectors/<name>.rs`, then add its name here, twice.

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
mod compute_credentials_outside_aws;
mod console_sign_in_without_mfa;
mod credentials_for_others;
mod denied_burst;
mod impossible_travel;
mod logging_switched_off;
mod mass_secret_read;
mod port_scan;
mod root_use;
mod s3_mass_deletion;
mod s3_mass_reencryption;

use crate::{
    anomaly::{self, Watched},
    detector::{Detector, Severity},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

macro_rules! detectors {
    ($($name:ident $(: $unusual:ident)?),* $(,)?) => {
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
            unusual: detectors!(@unusual $name $($unusual)?),
        }),*];
    };
    (@unusual $name:ident) => { None };
    (@unusual $name:ident unusual) => {
        Some(Unusual { watched: &$name::WATCHED, settings: |settings| &settings.$name })
    };
}

detectors! {
    access_given_outside,
    activity_drift,
    anomalous_credential_access: unusual,
    anomalous_defense_evasion: unusual,
    anomalous_discovery: unusual,
    anomalous_exfiltration: unusual,
    anomalous_impact: unusual,
    anomalous_initial_access: unusual,
    anomalous_persistence: unusual,
    anomalous_privilege_escalation: unusual,
    anomalous_s3_discovery: unusual,
    anomalous_s3_exfiltration: unusual,
    anomalous_s3_impact: unusual,
    compute_credentials_outside_aws,
    console_sign_in_without_mfa,
    credentials_for_others,
    denied_burst,
    impossible_travel,
    logging_switched_off,
    mass_secret_read,
    port_scan,
    root_use,
    s3_mass_deletion,
    s3_mass_reencryption,
}

/// A detector of unusual behaviour, as what looks into a day needs it.
#[derive(Debug)]
pub struct Unusual {
    /// The calls that it judges.
    pub(crate) watched: &'static Watched,
    /// Its table of the settings.
    pub(crate) settings: fn(&Settings) -> &anomaly::Settings,
}

/// Every detector of unusual behaviour, with its id.
pub(crate) fn unusual() -> impl Iterator<Item = (&'static str, &'static Unusual)> {
    DETECTORS.iter().filter_map(|one| Some((one.meta.id, one.unusual.as_ref()?)))
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
        let files: BTreeSet<String> = files
            .map(|path| path.file_stem().unwrap().to_string_lossy().replace('_', "-"))
            .collect();
        let listed = DETECTORS.iter().map(|detector| detector.meta.id.to_owned()).collect();
        assert_eq!(
            files, listed,
            "add the missing name to `detectors!` in detect/src/detectors.rs"
        );
    }

    #[test]
    fn every_detector_of_unusual_behaviour_can_be_looked_into() {
        let ids = DETECTORS.iter().map(|detector| detector.meta.id);
        let ids: Vec<_> = ids.filter(|id| id.starts_with("anomalous-")).collect();
        let listed: Vec<_> = unusual().map(|(id, _)| id).collect();
        assert_eq!(ids, listed, "write `: unusual` behind its name in detect/src/detectors.rs");
    }

    #[test]
    fn the_interests_fit_the_bits_that_hold_them() {
        assert!(DETECTORS.len() <= 32);
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
