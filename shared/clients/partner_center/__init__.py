"""Partner Center: referrals, sign-in, and the signature of its events."""
