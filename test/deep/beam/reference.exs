# The reference: the guide's registry of buckets, on a real BEAM.
#
# Buckets are agents. The registry maps names to them, monitors them, and drops a name on its bucket's DOWN. That is the
# guide's model, and the service's `temporary` kind. The service's `permanent` kind is added here: a bucket that comes back
# with its data, which outlives the agent in a table of the registry.

defmodule Beam.Bucket do
  use Agent, restart: :temporary

  # A temporary bucket owns its table, so its data goes with it. A permanent one gets the registry's.
  def start_link(table), do: Agent.start_link(fn -> table || :ets.new(:bucket, []) end)

  def get(bucket, key) do
    Agent.get(bucket, fn table ->
      case :ets.lookup(table, key) do
        [{^key, value}] -> value
        [] -> nil
      end
    end)
  end

  def put(bucket, key, value), do: Agent.update(bucket, &put_in_table(&1, key, value))
  def delete(bucket, key), do: Agent.update(bucket, &delete_in_table(&1, key))

  defp put_in_table(table, key, value) do
    :ets.insert(table, {key, value})
    table
  end

  defp delete_in_table(table, key) do
    :ets.delete(table, key)
    table
  end
end

defmodule Beam.Registry do
  use GenServer

  @buckets Beam.BucketSupervisor

  def start do
    {:ok, _} = DynamicSupervisor.start_link(strategy: :one_for_one, name: @buckets)
    {:ok, _} = GenServer.start_link(__MODULE__, nil, name: __MODULE__)
  end

  # `:created`, `:existing`, or `:differs` if there is a bucket of the other kind.
  def create(name, kind), do: GenServer.call(__MODULE__, {:create, name, kind})
  # `{:ok, bucket}` or `:not_found`.
  def lookup(name), do: GenServer.call(__MODULE__, {:lookup, name})
  def stop(name), do: GenServer.call(__MODULE__, {:stop, name})
  def exit(name, reason), do: GenServer.call(__MODULE__, {:exit, name, reason})
  # Sends the caller restarts and the end of a permanent bucket, whose process is replaced under its monitors.
  def watch(name, incarnation), do: GenServer.call(__MODULE__, {:watch, name, incarnation})

  @impl true
  def init(nil), do: {:ok, %{}}

  @impl true
  def handle_call({:create, name, kind}, _from, names) do
    case names do
      %{^name => %{kind: ^kind}} -> {:reply, :existing, names}
      %{^name => _} -> {:reply, :differs, names}
      %{} -> {:reply, :created, Map.put(names, name, new(kind))}
    end
  end

  def handle_call({:lookup, name}, _from, names) do
    case names do
      %{^name => bucket} -> {:reply, {:ok, bucket}, names}
      %{} -> {:reply, :not_found, names}
    end
  end

  def handle_call({:stop, name}, _from, names) do
    case names do
      %{^name => bucket} ->
        Agent.stop(bucket.pid, :normal)
        {:reply, :ok, await_down(names, name)}

      %{} ->
        {:reply, :not_found, names}
    end
  end

  def handle_call({:exit, name, reason}, _from, names) do
    case names do
      %{^name => bucket} ->
        Process.exit(bucket.pid, reason)
        # The BEAM ignores a `normal` signal from another process: no DOWN follows.
        {:reply, :ok, if(reason == :normal, do: names, else: await_down(names, name))}

      %{} ->
        {:reply, :not_found, names}
    end
  end

  def handle_call({:watch, name, incarnation}, {caller, _}, names) do
    case names do
      %{^name => %{incarnation: ^incarnation} = bucket} ->
        {:reply, :ok, %{names | name => %{bucket | watchers: [caller | bucket.watchers]}}}

      %{} ->
        {:reply, :gone, names}
    end
  end

  @impl true
  def handle_info({:DOWN, monitor, :process, _pid, reason}, names) do
    {name, _} = Enum.find(names, fn {_, bucket} -> bucket.monitor == monitor end)
    {:noreply, down(names, name, reason)}
  end

  # With its DOWN handled before the reply, no later lookup finds the bucket: the guide's tests need a barrier call for it.
  defp await_down(names, name) do
    monitor = names[name].monitor

    receive do
      {:DOWN, ^monitor, :process, _pid, reason} -> down(names, name, reason)
    end
  end

  defp down(names, name, reason) do
    case names[name] do
      %{kind: :permanent} = bucket when reason != :normal ->
        tell(bucket, {:restarted, name, bucket.incarnation, reason})
        %{names | name => start(bucket)}

      bucket ->
        if bucket.table, do: :ets.delete(bucket.table)
        tell(bucket, {:ended, name, bucket.incarnation, reason})
        Map.delete(names, name)
    end
  end

  defp tell(bucket, message), do: Enum.each(bucket.watchers, &send(&1, message))

  defp new(kind) do
    table = if kind == :permanent, do: :ets.new(:kept, [:public])
    start(%{kind: kind, incarnation: make_ref(), table: table, watchers: [], pid: nil, monitor: nil})
  end

  defp start(bucket) do
    {:ok, pid} = DynamicSupervisor.start_child(@buckets, {Beam.Bucket, bucket.table})
    %{bucket | pid: pid, monitor: Process.monitor(pid)}
  end
end

# What one connection of the text protocol is to the server, for the process that holds it: commands, and signals.
defmodule Beam.Reference do
  alias Beam.{Bucket, Registry}

  # Incarnations that are monitored, by name; and names, by the reference of a monitor.
  defstruct watched: %{}, monitors: %{}

  # @returns {reply, signals that come at once, session}
  def run(session, {:monitor, name}), do: monitor(session, name)

  def run(session, command) do
    {reply(command), [], session}
  end

  defp reply({:create, name}) do
    Registry.create(name, :permanent)
    :ok
  end

  defp reply({:create_temporary, name}), do: Registry.create(name, :temporary)
  defp reply({:stop, name}), do: Registry.stop(name)
  defp reply({:exit, name, reason}), do: Registry.exit(name, term(reason))

  defp reply({:lookup, name}) do
    with {:ok, bucket} <- Registry.lookup(name), do: {:id, bucket.incarnation}
  end

  defp reply({:get, name, key}) do
    # The text protocol shows no value as an empty one.
    with_bucket(name, fn bucket -> {:value, Bucket.get(bucket, key) || ""} end)
  end

  defp reply({:put, name, key, value}), do: with_bucket(name, &Bucket.put(&1, key, value))
  defp reply({:delete, name, key}), do: with_bucket(name, &Bucket.delete(&1, key))

  defp with_bucket(name, call) do
    with {:ok, bucket} <- Registry.lookup(name) do
      try do
        call.(bucket.pid)
      catch
        # It ended between the lookup and the call. The registry knows what has the name by now.
        :exit, _ -> with_bucket(name, call)
      end
    end
  end

  # On one connection a second MONITOR of the same bucket changes nothing.
  defp monitor(session, name) do
    case Registry.lookup(name) do
      :not_found -> noproc(session, name)
      {:ok, %{incarnation: same}} when :erlang.map_get(name, session.watched) == same -> {:ok, [], session}
      {:ok, bucket} -> watch(session, name, bucket)
    end
  end

  defp watch(session, name, %{kind: :temporary} = bucket) do
    monitors = Map.put(session.monitors, Process.monitor(bucket.pid), {name, bucket.incarnation})
    {:ok, [], %{session | watched: Map.put(session.watched, name, bucket.incarnation), monitors: monitors}}
  end

  defp watch(session, name, bucket) do
    case Registry.watch(name, bucket.incarnation) do
      :ok -> {:ok, [], %{session | watched: Map.put(session.watched, name, bucket.incarnation)}}
      :gone -> noproc(session, name)
    end
  end

  defp noproc(session, name), do: {:ok, [{"DOWN", name, "noproc"}], session}

  def watches?(session, name), do: is_map_key(session.watched, name)

  # The next signal of a monitor. @returns {signal, session} or `:none`
  def signal(session, timeout) do
    receive do
      {:DOWN, monitor, :process, _pid, reason} ->
        {{name, incarnation}, monitors} = Map.pop!(session.monitors, monitor)
        {{"DOWN", name, word(reason)}, forget(%{session | monitors: monitors}, name, incarnation)}

      {:restarted, name, _incarnation, reason} ->
        {{"RESTARTED", name, word(reason)}, session}

      {:ended, name, incarnation, reason} ->
        {{"DOWN", name, word(reason)}, forget(session, name, incarnation)}
    after
      timeout -> :none
    end
  end

  defp forget(session, name, incarnation) do
    case session.watched do
      %{^name => ^incarnation} -> %{session | watched: Map.delete(session.watched, name)}
      %{} -> session
    end
  end

  # Exit reasons are atoms only where the BEAM gives them a meaning.
  defp term("kill"), do: :kill
  defp term("normal"), do: :normal
  defp term("shutdown"), do: :shutdown
  defp term(text), do: text

  defp word(reason) when is_atom(reason), do: Atom.to_string(reason)
  defp word(reason), do: reason
end
