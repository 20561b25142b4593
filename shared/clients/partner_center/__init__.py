"""Partner Center: referrals, webhook registration, and sign-in through Entra ID."""
