//! Paying for a ride, with what can go wrong.

use super::{Ride, SECOND_MS};
use crate::dice::{Dice, float, whole};
use crate::event::{Method, PaymentStep};
use uuid::Uuid;

/// A payment that went through.
pub(super) struct Paid {
    pub(super) at_ms: i64,
    pub(super) payment: Uuid,
    /// Hundredths of the currency.
    pub(super) amount: i64,
    pub(super) currency: &'static str,
}

const METHODS: [(Method, u32); 5] = [
    (Method::Card, 45),
    (Method::BankTransfer, 22),
    (Method::Wallet, 15),
    (Method::Ussd, 8),
    (Method::Cash, 10),
];

const ERRORS: [(&str, &str); 5] = [
    ("51", "Insufficient funds"),
    ("91", "Issuer or switch inoperative"),
    ("55", "Incorrect PIN"),
    ("TIMEOUT", "No answer from the bank"),
    ("61", "Transfer limit exceeded"),
];

/// What a dollar costs when a card from abroad pays, in kobo.
const KOBO_PER_DOLLAR: i64 = 155_000;

impl Ride<'_> {
    /// Pays, with a new payment for every attempt; `None` when none of them went through.
    pub(super) fn pay(&mut self, attempts: u32) -> Option<Paid> {
        let mut at_ms = self.order.booked_ms + self.seconds(3, 40);
        let (currency, amount) = self.bill();
        let mut method = self.method(currency);
        for _ in 0..attempts {
            let payment = self.dice.uuid();
            self.payment(
                at_ms,
                payment,
                currency,
                PaymentStep::Initiated { amount, method },
            );
            let processing_ms = processing_time(method, self.dice);
            at_ms += i64::from(processing_ms) + self.dice.between(5, 120);
            if !self.dice.chance(failure_share(method)) {
                self.succeed(at_ms, payment, currency, amount, method, processing_ms);
                return Some(Paid {
                    at_ms,
                    payment,
                    amount,
                    currency,
                });
            }
            self.fail(at_ms, payment, currency, amount, method, processing_ms);
            at_ms += self.seconds(2, 45);
            if self.dice.chance(0.4) {
                method = self.method(currency);
            }
        }
        None
    }

    /// Most pay in naira, a few with a card from abroad.
    fn bill(&mut self) -> (&'static str, i64) {
        let price = self.order.price_kobo;
        if self.dice.chance(0.015) {
            ("USD", (price * 100 / KOBO_PER_DOLLAR).max(1))
        } else {
            ("NGN", price)
        }
    }

    fn method(&mut self, currency: &str) -> Method {
        if currency == "NGN" {
            self.dice
                .weighted(&METHODS)
                .copied()
                .unwrap_or(Method::Card)
        } else {
            Method::Card
        }
    }

    fn succeed(
        &mut self,
        at_ms: i64,
        payment: Uuid,
        currency: &'static str,
        amount: i64,
        method: Method,
        processing_ms: u32,
    ) {
        let digits = u16::try_from(self.dice.between(0, 9_999)).ok();
        let card_last4 = digits.filter(|_| method == Method::Card);
        self.payment(
            at_ms,
            payment,
            currency,
            PaymentStep::Success {
                amount,
                method,
                processing_ms,
                card_last4,
            },
        );
    }

    fn fail(
        &mut self,
        at_ms: i64,
        payment: Uuid,
        currency: &'static str,
        amount: i64,
        method: Method,
        processing_ms: u32,
    ) {
        let error = self
            .dice
            .pick(&ERRORS)
            .copied()
            .unwrap_or(("96", "System malfunction"));
        let processing_ms = (error.0 != "TIMEOUT").then_some(processing_ms);
        self.payment(
            at_ms,
            payment,
            currency,
            PaymentStep::Failed {
                amount,
                method,
                processing_ms,
                error,
            },
        );
    }
}

const fn failure_share(method: Method) -> f64 {
    match method {
        Method::Card => 0.12,
        Method::BankTransfer => 0.09,
        Method::Ussd => 0.18,
        Method::Wallet => 0.03,
        Method::Cash => 0.0,
    }
}

/// How long the provider takes: typically a second or two, sometimes very long.
fn processing_time(method: Method, dice: &mut Dice) -> u32 {
    let typical_ms = match method {
        Method::Card => 1_400,
        Method::BankTransfer => 3_200,
        Method::Ussd => 5_500,
        Method::Wallet => 220,
        Method::Cash => 60,
    };
    let time_ms =
        whole(float(typical_ms) * 0.5 * dice.long_tail()) + dice.between(0, typical_ms / 2);
    u32::try_from(time_ms.min(60 * SECOND_MS)).unwrap_or_default()
}
