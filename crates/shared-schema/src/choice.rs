//! Fixed sets of words.

use std::fmt;

use crate::Fault;
use crate::text::{ParseText, text_value};

macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $label:literal, $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every word of the set.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word as it stands in events.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The member with this word, exactly as written.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl ParseText for $name {
            const EXPECTED: &'static str = concat!("one of", $(" ", $text),+);
            fn parse_text(text: &str) -> Result<Self, Fault> {
                Self::parse(text).ok_or(Fault::pattern(concat!("expected one of", $(" ", $text),+)))
            }
        }

        text_value!($name, $label, {"type": "string", "enum": [$($text),+]});
    };
}

choice!(
    /// What an account may do.
    Role, "Role",
    /// Books seats.
    Rider = "RIDER",
    /// Offers routes.
    Driver = "DRIVER",
    /// Runs the company.
    Admin = "ADMIN",
);
choice!(
    /// The role before an upgrade to driver, which is always RIDER.
    #[derive(Default)]
    RiderRole, "RiderRole",
    /// Books seats.
    #[default]
    Rider = "RIDER",
);
choice!(
    /// The role after an upgrade to driver, which is always DRIVER.
    #[derive(Default)]
    DriverRole, "DriverRole",
    /// Offers routes.
    #[default]
    Driver = "DRIVER",
);
choice!(
    /// The outcome of an identity check.
    KycStatus, "KycStatus",
    /// The person is who they say.
    Verified = "VERIFIED",
    /// The papers were refused.
    Rejected = "REJECTED",
);
choice!(
    /// The status of a booking when it is created, which is always PENDING.
    #[derive(Default)]
    BookingStatus, "BookingStatus",
    /// Not yet paid or confirmed.
    #[default]
    Pending = "PENDING",
);
choice!(
    /// Who called a booking or a trip off.
    CancelledBy, "CancelledBy",
    /// The rider.
    Rider = "RIDER",
    /// The driver.
    Driver = "DRIVER",
    /// The platform.
    System = "SYSTEM",
);
choice!(
    /// How a rider pays.
    PaymentMethod, "PaymentMethod",
    /// Bank card.
    Card = "card",
    /// Bank transfer.
    BankTransfer = "bank_transfer",
    /// A bank's short code on the phone.
    Ussd = "ussd",
    /// Balance with OpenRide.
    Wallet = "wallet",
    /// Notes and coins.
    Cash = "cash",
);
choice!(
    /// A day of the week.
    Weekday, "Weekday",
    /// Monday.
    Monday = "MON",
    /// Tuesday.
    Tuesday = "TUE",
    /// Wednesday.
    Wednesday = "WED",
    /// Thursday.
    Thursday = "THU",
    /// Friday.
    Friday = "FRI",
    /// Saturday.
    Saturday = "SAT",
    /// Sunday.
    Sunday = "SUN",
);
