-- How many changes need a person is asked after every write.
CREATE INDEX outbox_parked ON outbox (mid) WHERE state = 'parked';
