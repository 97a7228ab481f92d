"""What the fake Dialpad knows: companies, tokens, webhooks, calls. Nothing of HTTP."""
