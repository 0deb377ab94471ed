"""Redis and RabbitMQ: where queued messages go."""

from .daemon import Command, Daemon, nothing_missing
from .place import HOST, Place

RABBITMQ_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"


def prepare_redis(place: Place) -> Command:
    """In memory only."""
    directory = str(place.make("data/redis"))
    return Command(("redis-server", "--port", str(place.ports.redis), "--bind", HOST, "--save", "", "--dir", directory))


def prepare_rabbitmq(place: Place) -> Command:
    """A node, a port mapper and a home of its own, so that nothing of the machine's is touched; guest may log in."""
    home = place.make("data/rabbitmq")
    plugins = home / "enabled_plugins"
    plugins.write_text("[].\n")
    config = home / "rabbitmq.conf"
    config.write_text("log.console = true\nlog.file = false\n")
    node = {
        "HOME": home,
        "RABBITMQ_NODENAME": f"tb{place.ports.amqp}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": HOST,
        "RABBITMQ_NODE_PORT": place.ports.amqp,
        "RABBITMQ_DIST_PORT": place.ports.amqp_cluster,
        "ERL_EPMD_PORT": place.ports.amqp_names,
        "ERL_EPMD_ADDRESS": HOST,
        "RABBITMQ_MNESIA_BASE": home / "mnesia",
        "RABBITMQ_LOG_BASE": home / "log",
        "RABBITMQ_ENABLED_PLUGINS_FILE": plugins,
        "RABBITMQ_CONFIG_FILE": config,
    }
    return Command((RABBITMQ_SERVER,), {name: str(value) for name, value in node.items()})


REDIS = Daemon("redis", ("redis",), lambda: nothing_missing("redis-server", root=False), prepare_redis)
RABBITMQ = Daemon("rabbitmq", ("amqp",), lambda: nothing_missing(RABBITMQ_SERVER), prepare_rabbitmq)
