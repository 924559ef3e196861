//! Parts of the model that can be left out, to measure what each is worth: `make ablation`. That takes the
//! feature `ablation`, which the shipped program is built without; there [`lacks`] is `false`, and nothing of
//! this is left.

#[cfg(feature = "ablation")]
use std::sync::atomic::{AtomicUsize, Ordering};

macro_rules! pieces {
    ($($name:ident = $part:literal, $instead:literal;)*) => {
        /// A part of the model, and what takes its place where it is left out.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Piece { $(#[doc = concat!($part, ": ", $instead)] $name,)* }

        #[cfg(feature = "ablation")]
        impl Piece {
            /// Every part.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The part, and what takes its place, in words.
            pub fn words(self) -> [&'static str; 2] {
                match self { $(Self::$name => [$part, $instead],)* }
            }
        }
    };
}

pieces! {
    Families = "families", "all dimensions are added";
    What = "family what", "left out";
    Target = "family target", "left out";
    Place = "family place", "left out";
    Tool = "family tool", "left out";
    Errors = "family errors", "left out";
    HowMuch = "family how much", "left out";
    Number = "how many values are new", "the most surprising one alone";
    MostSurprising = "number and most surprising of new values", "all of them are added";
    Peers = "back-off to peers", "the constants alone";
    Constants = "constants of what nobody knows", "one of all that the identity knows, `1/(1+T)`";
    Rare = "rare values that it knows", "left out";
    Tail = "tail of rarity", "the value's own share";
    Young = "peers of the young", "their own days, as of others";
    Knowable = "no rarer than the hours known", "as rare as the fitted tail says";
    Weights = "weights of tracks", "1 for all";
    DeedsShare = "share of a tactic's own deeds", "any deed will do";
    Context = "unusual access told by itself", "with deeds only";
    Kinds = "thresholds of kinds", "40 bits for all";
    Alerted = "alerted days weigh 1/8", "as others do";
    Repeated = "what four alerted days made usual", "it never becomes so";
    Cap = "a bound moves slowly", "with every day";
    Generation = "judged by the day before yesterday", "by yesterday";
}

#[cfg(feature = "ablation")]
static LEFT_OUT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Leaves out one part, or none, from now on and for the whole process.
#[cfg(feature = "ablation")]
pub fn leave_out(piece: Option<Piece>) {
    LEFT_OUT.store(piece.map_or(usize::MAX, |piece| piece as usize), Ordering::SeqCst);
}

/// Whether `piece` is left out.
#[cfg(feature = "ablation")]
pub fn lacks(piece: Piece) -> bool {
    LEFT_OUT.load(Ordering::Relaxed) == piece as usize
}

/// Whether `piece` is left out: never.
#[cfg(not(feature = "ablation"))]
pub const fn lacks(_: Piece) -> bool {
    false
}
