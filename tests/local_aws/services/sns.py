"""SNS: a topic has one set of attributes, and mail has to be confirmed."""

from ..moto_app import ask
from ..registry import AwsError, after, operation

UNCONFIRMED = ("email", "email-json", "http", "https")


@operation("sns", "CreateTopic")
def create_topic(call):
    arn = call.arn("sns", call.params["Name"])
    topic = call.backend("sns").topics.get(arn)
    if topic is not None:
        refuse_difference(call, arn)
        return {"TopicArn": arn}
    return ask(call)


def refuse_difference(call, arn):
    have = ask(call, operation="GetTopicAttributes", params={"TopicArn": arn})["Attributes"]
    if any(have.get(name) != value for name, value in call.get("Attributes", {}).items()):
        raise AwsError(
            "InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
        )
    tags = ask(call, operation="ListTagsForResource", params={"ResourceArn": arn})["Tags"]
    if call.get("Tags") and sorted(map(str, call.params["Tags"])) != sorted(map(str, tags)):
        raise AwsError("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different tags")


@after("sns", "Subscribe")
def wait_for_confirmation(call, answer):
    if call.params["Protocol"] in UNCONFIRMED:
        call.shelf("sns.pending")[answer["SubscriptionArn"]] = True
        if not call.get("ReturnSubscriptionArn"):
            answer["SubscriptionArn"] = "pending confirmation"


@after("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
def show_pending(call, answer):
    for subscription in answer["Subscriptions"]:
        if subscription["SubscriptionArn"] in call.shelf("sns.pending"):
            subscription["SubscriptionArn"] = "PendingConfirmation"


@operation("sns", "Unsubscribe")
def unsubscribe(call):
    """What has no ARN yet cannot be named."""
    arn = call.params["SubscriptionArn"]
    if arn.count(":") < 6:
        message = "Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements"
        raise AwsError("InvalidParameter", message)
    if call.shelf("sns.pending").get(arn):
        raise AwsError("InvalidParameter", "Invalid parameter: This operation is not allowed on a pending subscription")
    return ask(call)
