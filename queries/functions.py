"""The functions of RQL, by name and what they do. None is answered yet; the parser knows them all."""

FUNCTIONS = {
    "_DateTime.ageInDays": "days since a timestamp; negative for one to come",
    "_DateTime.ageInMonths": "months since a timestamp",
    "_DateTime.ageInYears": "years since a timestamp",
    "_DateTime.daysBetween": "days between two timestamps",
    "today": "the current day",
    "_AWSCloudAccount.isRedLockMonitored": "whether the accounts are known to this system",
    "_IPAddress.inRange": "texts made of a pattern and a range of numbers",
    "_IPAddress.inCIDRRange": "whether some address lies in a network",
    "_IPAddress.areAllInCIDRRange": "whether every address lies in a network",
    "_IPAddress.areAnyOutsideCIDRRange": "whether some address lies outside all of these networks",
    "_Port.inRange": "the ports from one number to another",
    "_Set.intersection": "what two paths have in common",
    "_Set.union": "what either path has",
    "_Set.isSubset": "whether all that a path finds is in the list",
    "Set_isSubset": "a spelling of _Set.isSubset",
    "_Set_isSubset": "a spelling of _Set.isSubset",
    "Set.isSubset": "a spelling of _Set.isSubset",
}
"""Every function by name, with what it gives."""
