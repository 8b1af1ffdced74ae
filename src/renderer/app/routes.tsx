import { Redirect, Route, Switch } from 'wouter';
import { AlarmView } from '../views/alarms/AlarmView.tsx';
import { ChannelsView } from '../views/alarms/channels/ChannelsView.tsx';
import { RuleEditor } from '../views/alarms/editor/RuleEditor.tsx';
import { HistoryView } from '../views/alarms/history/HistoryView.tsx';
import { AlarmsView } from '../views/alarms/list/AlarmsView.tsx';
import { RulesView } from '../views/alarms/rules/RulesView.tsx';
import { SilencesView } from '../views/alarms/silences/SilencesView.tsx';
import { ClustersView } from '../views/clusters/ClustersView.tsx';
import { ConnectionsView } from '../views/connections/ConnectionsView.tsx';
import { ConnectionView } from '../views/connections/ConnectionView.tsx';
import { DiagnosticsView } from '../views/diagnostics/DiagnosticsView.tsx';
import { JobView } from '../views/job/JobView.tsx';
import { JobsView } from '../views/jobs/JobsView.tsx';
import { NodeView } from '../views/node/NodeView.tsx';
import { CompareView } from '../views/profiles/compare/CompareView.ts';
import { ProfilesView } from '../views/profiles/list/ProfilesView.tsx';
import { SettingsView } from '../views/settings/SettingsView.tsx';
import { NodesView } from '../views/nodes/NodesView.tsx';
import { TargetsView } from '../views/targets/TargetsView.tsx';
import { TargetView } from '../views/targets/TargetView.tsx';
import { NotFound } from '../components/Message.tsx';

/** Every screen and its address. A new screen is one line here and one in the palette. */
export function Routes() {
  return (
    <Switch>
      <Route path="/">
        <Redirect to="/ui/jobs" replace />
      </Route>
      <Route path="/ui">
        <Redirect to="/ui/jobs" replace />
      </Route>
      <Route path="/ui/jobs">
        <JobsView />
      </Route>
      <Route path="/ui/jobs/:run">{({ run }) => <JobView key={run} id={run} />}</Route>
      <Route path="/ui/profiles">
        <ProfilesView />
      </Route>
      <Route path="/ui/profiles/compare">
        <CompareView />
      </Route>
      <Route path="/ui/node">
        <NodeView host={null} />
      </Route>
      <Route path="/ui/node/:host">{({ host }) => <NodeView key={host} host={host} />}</Route>
      <Route path="/ui/nodes">
        <NodesView />
      </Route>
      <Route path="/ui/targets">
        <TargetsView />
      </Route>
      <Route path="/ui/targets/:id">{({ id }) => <TargetView key={id} id={id} />}</Route>
      <Route path="/ui/alarms">
        <AlarmsView />
      </Route>
      <Route path="/ui/alarms/rules">
        <RulesView />
      </Route>
      <Route path="/ui/alarms/rules/new">
        <RuleEditor id={null} />
      </Route>
      <Route path="/ui/alarms/rules/:id">{({ id }) => <RuleEditor key={id} id={id} />}</Route>
      <Route path="/ui/alarms/silences">
        <SilencesView />
      </Route>
      <Route path="/ui/alarms/channels">
        <ChannelsView />
      </Route>
      <Route path="/ui/alarms/history">
        <HistoryView />
      </Route>
      <Route path="/ui/alarms/alarm/*">{({ '*': id }) => <AlarmView key={id} id={id ?? ''} />}</Route>
      <Route path="/ui/clusters">
        <ClustersView />
      </Route>
      <Route path="/ui/connections">
        <ConnectionsView />
      </Route>
      <Route path="/ui/connections/:id">{({ id }) => <ConnectionView key={id} id={id} />}</Route>
      <Route path="/ui/diagnostics">
        <DiagnosticsView />
      </Route>
      <Route path="/ui/settings">
        <SettingsView />
      </Route>
      <Route>
        <NotFound title="There is no such page" detail="The address does not belong to any view." />
      </Route>
    </Switch>
  );
}
