-- An opt-out belongs to the number and the e-mail, wherever it was said: found however they are written, in every location.
-- migrate:up
SET LOCAL lock_timeout = '5s';

-- The following three say the same as domain/plain.py, phones.py and duplicates.py.
CREATE FUNCTION contact_plain(field text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    found text := left(field, 300);
BEGIN
    IF found ~ '[^\u0001-\u007f]' THEN
        found := regexp_replace(normalize(found, NFKC),
            '[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]', '', 'g');
        found := translate(found,
            U&'\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\06f0\06f1\06f2\06f3\06f4\06f5\06f6\06f7\06f8\06f9'
            || U&'\2010\2011\2012\2013\2014\2015\2212\00b7\2022\2219', '01234567890123456789-------...');
    END IF;
    RETURN left(regexp_replace(found, '[\u0001-\u001f\u007f-\u009f\u1680]', ' ', 'g'), 300);
END $$;

CREATE FUNCTION contact_number(written text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    stripped text := btrim(written, ' ');
    bare text := regexp_replace(stripped, ' *(?:ext\.?|x|#) *[0-9]+$', '', 'i');
    digits text;
BEGIN
    IF bare ~ '[^0-9 ().+/-]' THEN
        RETURN NULL;
    END IF;
    digits := regexp_replace(bare, '[^0-9]', '', 'g');
    IF left(stripped, 1) = '+' AND left(digits, 1) <> '1' THEN
        RETURN CASE WHEN digits ~ '^[1-9][0-9]{7,14}$' THEN '+' || digits END;
    END IF;
    RETURN CASE WHEN digits ~ '^1?[2-9][0-9]{2}[2-9][0-9]{6}$' THEN '+1' || right(digits, 10) END;
END $$;

-- Its path is its own: what keeps an index up (ANALYZE, a restore) looks for no function of ours.
CREATE FUNCTION contact_ways(phone text, email text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
    COST 1000 SET search_path FROM CURRENT AS $$
DECLARE
    field text;
    one text;
    piece text;
    ways text[] := '{}';
BEGIN
    IF phone ~ '^\+1[2-9][0-9]{2}[2-9][0-9]{6}$' THEN  -- as nearly all are
        ways := ARRAY[phone];
    ELSIF phone IS NOT NULL THEN
        field := contact_plain(phone);
        one := contact_number(field);
        IF one IS NOT NULL THEN
            ways := ARRAY[one];
        ELSE
            FOR piece IN SELECT (regexp_matches(field, '\+?[0-9 ()./-]+', 'g'))[1] LOOP
                one := contact_number(piece);
                ways := ways || CASE WHEN one IS NOT NULL THEN ARRAY[one] ELSE ARRAY(
                    SELECT '+1' || array_to_string(m.parts, '') FROM regexp_matches(piece,
                        '(?<![0-9])1?[ ./-]*\(?([2-9][0-9]{2})\)?[ ./-]*([2-9][0-9]{2})[ ./-]*([0-9]{4})(?![0-9])',
                        'g') AS m (parts)) END;
            END LOOP;
        END IF;
    END IF;
    FOREACH one IN ARRAY ways LOOP
        IF left(one, 2) = '+1' AND right(one, 10) = repeat(right(one, 1), 10) THEN  -- it stands for no number
            ways := array_remove(ways, one);
        END IF;
    END LOOP;
    IF email ~ '^[a-z0-9._+-]{1,100}@[a-z0-9.-]{1,100}$' THEN
        ways := ways || email;
    ELSIF email IS NOT NULL THEN
        ways := ways || ARRAY(
            SELECT lower(m.parts[1] COLLATE "C") FROM regexp_matches(contact_plain(email),
                '[^] @<>,;:"()[]+@[^] @<>,;:"()[]+', 'g') AS m (parts));
    END IF;
    RETURN ways;
END $$;

-- One index for both questions. The former ones took no long text (a b-tree's entry has 2,704 bytes at most); by_phone, nobody asks.
CREATE INDEX leads_by_ways ON leads USING gin (contact_ways(phone, email)) WITH (fastupdate = off)
    WHERE phone IS NOT NULL OR email IS NOT NULL;
DROP INDEX leads_by_digits;
DROP INDEX leads_by_phone;
DROP INDEX leads_by_email;
DROP FUNCTION phone_digits(text);

-- Numbers and e-mails of people who said no, also where no lead tells of it: its making was refused, or it has another number by now.
CREATE TABLE opt_outs (
    way text PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO opt_outs (way)
SELECT DISTINCT w FROM leads, unnest(contact_ways(phone, email)) AS w WHERE opted_out ON CONFLICT DO NOTHING;

-- migrate:down
