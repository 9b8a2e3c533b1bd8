DROP VIEW IF EXISTS {{database}}.user_activity_from_payment
