"""The steps of the story in which both sides change the lists of a deal: its solutions, and the customer's contacts."""

from local.cosell_steps import CosellStory

SELLERS_SOLUTION, COLLEAGUES_SOLUTION = "SOL-20011-ABC", "SOL-20012-XYZ"
ADDED = "ada.lind@customer.example"


class EditStory(CosellStory):
    """The story of a deal whose lists change after it was shared with Partner Center."""

    def both_sides_add_solutions(self) -> None:
        """A seller and a colleague add a solution each before the connector runs. Both sides get both."""
        self.narrator.print_heading("A seller and a colleague add a solution each, at the same time.")
        key = self.seller_creates("Deal with lists", "US")
        self.run_timer("push_opportunities")
        self.wait_for_events()
        self.seller_opportunities.append(key)
        before = self.read_opportunity(key)["Products__c"]
        self._edit(key, Products__c=f"{before};{SELLERS_SOLUTION}")
        tag = {"id": COLLEAGUES_SOLUTION, "name": "Contoso Planning", "type": "Name"}
        added = [{"op": "add", "path": "/details/requirements/solutions/-", "value": tag}]
        self.systems.partner_center.portal_edits(self.referral_id_of(key), added)
        self._say(f"The seller added {SELLERS_SOLUTION}, the colleague {COLLEAGUES_SOLUTION}.")
        self.let_records_rest()
        self.run_timer("push_opportunities")
        self.wait_for_events()
        wanted = {*before.split(";"), SELLERS_SOLUTION, COLLEAGUES_SOLUTION}
        ours, theirs = self._solutions(key)
        self.narrator.require(ours == theirs == wanted, f"the solutions are {sorted(ours)} and {sorted(theirs)}")
        self._say(f"Both sides have {len(wanted)} solutions: {', '.join(sorted(wanted))}.")
        self._say(f"The Audit field says: {self.newest_audit_line(key)}")

    def seller_adds_contact(self) -> None:
        """A seller adds a contact role to a deal that is in Partner Center already."""
        self.narrator.print_heading("A seller adds a contact later.")
        key = self.seller_opportunities[-1]
        self._give_contact(key)
        self._say(f"The seller gave the deal the contact {ADDED}. This saves no field of the opportunity.")
        self.run_timer("push_opportunities")
        self.wait_for_events()
        team = self.read_referral(self.referral_id_of(key))["customerProfile"]["team"]
        known = [member["email"] for member in team]
        self.narrator.require(ADDED in known, f"the contacts in Partner Center are {known}")
        self._say(f"Partner Center has the contact too: {', '.join(known)}.")
        self._say(f"The Audit field says: {self.newest_audit_line(key)}")

    def _solutions(self, opportunity: str) -> tuple[set[str], set[str]]:
        """The solutions of both sides."""
        tags = self.read_referral(self.referral_id_of(opportunity))["details"]["requirements"]["solutions"]
        text = self.read_opportunity(opportunity)["Products__c"]
        return {part.strip() for part in text.split(";")}, {tag["id"] for tag in tags}
