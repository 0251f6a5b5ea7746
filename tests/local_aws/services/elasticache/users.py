"""Users and user groups of role-based access control."""

from ...common import find, page, require_unique
from ...life import later
from ...registry import AwsError, operation
from .shared import tags, user_groups, users


def default_user(call):
    return {
        "UserId": "default",
        "UserName": "default",
        "Status": "active",
        "Engine": "redis",
        "MinimumEngineVersion": "6.0",
        "AccessString": "on ~* +@all",
        "Authentication": {"Type": "no-password"},
        "ARN": call.arn("elasticache", "user:default"),
    }


def user_shelf(call):
    """Every account has the user `default` from the start."""
    shelf = users(call)
    if "default" not in shelf:
        shelf["default"] = default_user(call)
    return shelf


def user_of(call, name):
    return find(user_shelf(call), name.lower(), "UserNotFound", f"User {name} not found.")


def user_group_of(call, name):
    return find(user_groups(call), name.lower(), "UserGroupNotFound", f"User group {name} not found.")


def shown_user(call, user):
    groups = [g["UserGroupId"] for g in user_groups(call).values() if user["UserId"] in g["UserIds"]]
    return user | {"UserGroupIds": groups}


def authentication(call, current=None):
    mode = call.get("AuthenticationMode", {})
    passwords = call.get("Passwords") or mode.get("Passwords") or []
    if mode.get("Type") == "iam":
        return {"Type": "iam"}
    if passwords:
        return {"Type": "password", "PasswordCount": len(passwords)}
    if call.get("NoPasswordRequired") or mode.get("Type") == "no-password-required":
        return {"Type": "no-password"}
    if current is not None:
        return current
    message = "Input Authentication type: null is not in the allowed list: [password,no-password-required,iam]"
    raise AwsError("InvalidParameterCombination", message)


@operation("elasticache", "CreateUser")
def create_user(call):
    name = call.params["UserId"].lower()
    require_unique(user_shelf(call), name, "UserAlreadyExists", f"User {name} already exists.")
    user = {
        "UserId": name,
        "UserName": call.params["UserName"],
        "Status": "active",
        "Engine": call.params["Engine"].lower(),
        "MinimumEngineVersion": "6.0",
        "AccessString": call.params["AccessString"],
        "Authentication": authentication(call),
        "ARN": call.arn("elasticache", f"user:{name}"),
    }
    user_shelf(call)[name] = user
    tags(call)[user["ARN"]] = call.get("Tags", [])
    return shown_user(call, user)


@operation("elasticache", "DescribeUsers")
def describe_users(call):
    if call.get("UserId"):
        return {"Users": [shown_user(call, user_of(call, call.params["UserId"]))]}
    found = [shown_user(call, user) for user in user_shelf(call).values()]
    found = [user for user in found if call.get("Engine") in (None, user["Engine"])]
    found, more = page(call, found, "MaxRecords", "Marker", "Marker")
    return {"Users": found} | more


@operation("elasticache", "ModifyUser")
def modify_user(call):
    user = user_of(call, call.params["UserId"])
    require_active(user, "InvalidUserState", "User")
    user["AccessString"] = call.get("AccessString", user["AccessString"])
    if call.get("AppendAccessString"):
        user["AccessString"] += " " + call.params["AppendAccessString"]
    user["Authentication"] = authentication(call, user["Authentication"])
    begin_change(user)
    return shown_user(call, user)


def begin_change(item):
    item["Status"] = "modifying"
    later("elasticache.user-group", lambda: item.update(Status="active") if item["Status"] == "modifying" else None)


def require_active(item, code, word):
    if item["Status"] != "active":
        raise AwsError(code, f"{word} is not in active state, it is {item['Status']}.")


@operation("elasticache", "DeleteUser")
def delete_user(call):
    user = user_of(call, call.params["UserId"])
    if user["UserId"] == "default":
        raise AwsError("DefaultUserAssociatedToUserGroup", "The default user cannot be deleted.")
    require_active(user, "InvalidUserState", "User")
    for group in user_groups(call).values():
        if user["UserId"] in group["UserIds"]:
            group["UserIds"].remove(user["UserId"])
    user["Status"] = "deleting"
    later("elasticache.user-group", lambda: remove(call, user_shelf(call), user, "UserId"))
    return shown_user(call, user)


def remove(call, shelf, item, key):
    shelf.pop(item[key], None)
    tags(call).pop(item["ARN"], None)


def check_members(call, engine, ids):
    names = [user_of(call, user_id)["UserName"] for user_id in ids]
    if len(set(names)) < len(names):
        raise AwsError("DuplicateUserName", "A user with the same user name is already in the group.")
    if engine == "redis" and "default" not in names:
        raise AwsError("DefaultUserRequired", "A user group must contain a user with the user name default.")


@operation("elasticache", "CreateUserGroup")
def create_user_group(call):
    name = call.params["UserGroupId"].lower()
    require_unique(user_groups(call), name, "UserGroupAlreadyExists", f"User group {name} already exists.")
    engine = call.params["Engine"].lower()
    check_members(call, engine, call.get("UserIds", []))
    group = {
        "UserGroupId": name,
        "Status": "creating",
        "Engine": engine,
        "UserIds": list(call.get("UserIds", [])),
        "MinimumEngineVersion": "6.0",
        "ReplicationGroups": [],
        "ServerlessCaches": [],
        "ARN": call.arn("elasticache", f"usergroup:{name}"),
    }
    user_groups(call)[name] = group
    tags(call)[group["ARN"]] = call.get("Tags", [])
    later("elasticache.user-group", lambda: group.update(Status="active"))
    return dict(group)


@operation("elasticache", "DescribeUserGroups")
def describe_user_groups(call):
    if call.get("UserGroupId"):
        return {"UserGroups": [user_group_of(call, call.params["UserGroupId"])]}
    found, more = page(call, list(user_groups(call).values()), "MaxRecords", "Marker", "Marker")
    return {"UserGroups": found} | more


@operation("elasticache", "ModifyUserGroup")
def modify_user_group(call):
    group = user_group_of(call, call.params["UserGroupId"])
    require_active(group, "InvalidUserGroupState", "User group")
    removed = call.get("UserIdsToRemove", [])
    wanted = [u for u in group["UserIds"] if u not in removed]
    wanted += [u for u in call.get("UserIdsToAdd", []) if u not in wanted]
    check_members(call, group["Engine"], wanted)
    group["UserIds"] = wanted
    begin_change(group)
    return dict(group)


@operation("elasticache", "DeleteUserGroup")
def delete_user_group(call):
    group = user_group_of(call, call.params["UserGroupId"])
    require_active(group, "InvalidUserGroupState", "User group")
    group["Status"] = "deleting"
    later("elasticache.user-group", lambda: remove(call, user_groups(call), group, "UserGroupId"))
    return dict(group)
