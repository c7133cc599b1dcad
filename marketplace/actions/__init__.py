"""Writes of the marketplace: each action is one transaction that ends by appending its events.

Rows are locked in one order everywhere, so that no two actions wait for each other:

    opportunity → application → invitation → offer → candidate → seat → placement

several of one kind by ascending id. Whoever changes an opportunity locks its row FOR UPDATE. Whoever only needs it to
stay as it is (applying, offering, accepting) takes FOR KEY SHARE, which `marketplace.access` does for every row that is
fetched to be changed, and reads its state afterwards: these do not wait for each other, only for a change, and a change
for them. So nothing slips in while an opportunity closes. The trigger on placements locks the candidate's row;
therefore whoever makes or changes a placement locks the candidate before the seat. Whoever takes seats of several
opportunities, or several of one by the waiting list, first locks all that comes before seats.
"""
