"""The steps of the story in which Microsoft takes part: help, answers, and a private deal that is shared."""

from typing import Any

from local.story_steps import Story

MSX_ID = "7-3QK29VX1T"
"""An opportunity number of Microsoft's own sales system."""


class CosellStory(Story):
    """The story of a partner and Microsoft."""

    # --- acting

    def _give_contact(self, opportunity: str) -> None:
        """Add a customer contact, without whom Microsoft is not asked."""
        account = self.read_opportunity(opportunity)["AccountId"]
        contact = {
            "FirstName": "Ada",
            "LastName": "Lind",
            "Email": "ada.lind@customer.example",
            "Phone": "+12065550100",
        }
        person = self.systems.salesforce.insert("Contact", {**contact, "AccountId": account})
        role = {"OpportunityId": opportunity, "ContactId": person, "IsPrimary": True}
        self.systems.salesforce.insert("OpportunityContactRole", role)

    def _edit(self, opportunity: str, **values: object) -> None:
        self.systems.salesforce.edit("Opportunity", opportunity, values)

    def _opportunity_of(self, referral: str) -> str:
        return str(self._opportunities_by_referral()[referral]["Id"])

    # --- the steps

    def seller_asks_microsoft(self) -> None:
        """A seller asks for help with a new deal; Microsoft accepts, and its CRM id appears on the opportunity."""
        self.narrator.print_heading("A seller asks Microsoft for help. Microsoft accepts.")
        key = self.systems.seller_creates("Deal with help", Sync_with_Partner_Center__c=False)
        self._give_contact(key)
        self._edit(
            key,
            How_can_Microsoft_help__c="Proof Of Concept or Demo",
            Notes_to_Microsoft__c="A demo in May, please.",
            Sync_with_Partner_Center__c=True,
        )
        self._say("A seller chose [b]Proof Of Concept or Demo[/b] in How can Microsoft help?, and ticked the deal.")
        self.let_records_rest()
        self.run_timer("push_opportunities")
        self.wait_for_events()
        opportunity = self.read_opportunity(key)
        self.narrator.require(bool(opportunity["Visible_to_Microsoft__c"]), "choosing help did not tick Visible")
        asked = opportunity["Microsoft_Status__c"] == "Asked"
        self.narrator.require(asked, f"Microsoft Status is {opportunity['Microsoft_Status__c']}, not Asked")
        self._say(
            "Partner Center has two referrals in one engagement: ours, and Microsoft's. Microsoft Status is Asked."
        )
        engagement = self.read_referral(self.referral_id_of(key))["engagementId"]
        before = self.narrator.elapsed_seconds
        self.systems.partner_center.microsoft_accepts(engagement, msx_id=MSX_ID)
        self.wait_for_events()
        seconds = self.narrator.elapsed_seconds - before
        opportunity = self.read_opportunity(key)
        shown = opportunity["Microsoft_Status__c"], opportunity["Microsoft_CRM_Identifier__c"]
        self.narrator.require(shown == ("Accepted", MSX_ID), f"the opportunity shows {shown}")
        self._say(f"Microsoft accepted. The opportunity shows its CRM id [b]{MSX_ID}[/b], after {seconds:.2f} s.")
        self._say(f"Its Audit field says: {self.newest_audit_line(key)}")
        self.seller_opportunities.append(key)

    def seller_answers_microsoft(self) -> None:
        """A seller accepts a deal of Microsoft's and declines another one with a reason."""
        self.narrator.print_heading("A seller accepts a deal of Microsoft's, and declines another.")
        sent = [self.systems.partner_center.microsoft_sends() for _ in range(2)]
        self.wait_for_events()
        accepted, declined = map(self._opportunity_of, sent)
        self.microsoft_referrals += sent
        self._say(f"{self.read_opportunity(accepted)['Name']} waits: Answer By is {self._answer_by(accepted)}.")
        self._edit(accepted, StageName="Qualification")
        self._edit(declined, StageName="Closed Lost", Closing_Reason__c="Timeline too short")
        self.run_timer("push_opportunities")
        self.wait_for_events()
        statuses = [f"{one['status']}/{one['substatus']}" for one in map(self.read_referral, sent)]
        self.narrator.require(statuses == ["Active/Accepted", "Closed/Declined"], f"the deals are {statuses}")
        reason = self.read_referral(sent[1])["statusReason"]
        self._say(f"One deal is Active/Accepted, the other Closed/Declined: {reason}.")

    def _answer_by(self, opportunity: str) -> str:
        shown = self.read_opportunity(opportunity)["Answer_By__c"]
        self.narrator.require(bool(shown), "an unanswered deal does not show until when to answer")
        return str(shown)[:10]

    def seller_shares_private_deal(self) -> None:
        """A seller lets Microsoft's sellers see a private deal."""
        self.narrator.print_heading("A seller shares a private deal with Microsoft's sellers.")
        key = self.seller_creates("Private deal", "US")
        self.run_timer("push_opportunities")
        self._edit(key, Visible_to_Microsoft__c=True)
        self.run_timer("push_opportunities")
        self.wait_for_events()
        consent = self.read_referral(self.referral_id_of(key))["consent"]
        visible = bool(consent["consentToShareReferralWithMicrosoftSellers"])
        self.narrator.require(visible, "the deal is still private in Partner Center")
        self._say("The seller ticked [b]Visible to Microsoft sellers[/b]. The deal is partner-led now, for good.")
        self.seller_opportunities.append(key)

    # --- showing

    def print_summary(self) -> None:
        """Print both sides and the calls; then the type of some deals, our status and Microsoft's."""
        super().print_summary()
        opportunities = self._opportunities_by_referral()
        of_sellers = map(self.referral_id_of, (self.seller_opportunities[0], *self.seller_opportunities[-4:]))
        shown = dict.fromkeys((*of_sellers, *self.microsoft_referrals[-2:]))
        rows = [_row(opportunities[key], self.read_referral(key)) for key in shown]
        self.narrator.print_table("The types of the deals", ("deal", "type", "our status", "Microsoft's status"), rows)


def _row(opportunity: dict[str, Any], referral: dict[str, Any]) -> tuple[str, str, str, str]:
    invited_by = ((referral["inviteContext"] or {}).get("invitedBy") or {}).get("organizationId")
    is_visible = referral["consent"]["consentToShareReferralWithMicrosoftSellers"]
    kind = "partner-led" if is_visible else "private"
    if opportunity["How_can_Microsoft_help__c"]:
        kind = "co-sell"
    kind = "from Microsoft" if invited_by == "msft" else kind
    ours = f"{referral['status']}/{referral['substatus']}"
    return opportunity["Name"], kind, ours, opportunity["Microsoft_Status__c"] or "none"
